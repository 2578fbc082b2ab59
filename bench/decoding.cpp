// Images per second that the loader reads, decodes, resizes and crops.

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <numeric>
#include <string>
#include <vector>

#include "ptq/data/image_folder.h"
#include "ptq/data/loader.h"

namespace {

using ptq::data::ImageFolder;
using ptq::data::Loader;

double images_per_second(const ImageFolder& folder, int workers) {
  std::vector<int64_t> items(folder.items.size());
  std::iota(items.begin(), items.end(), 0);
  ptq::data::LoaderOptions options;
  options.workers = workers;
  Loader loader(folder, items, options);
  const auto begin = std::chrono::steady_clock::now();
  loader.start(64);
  while (loader.next()) {
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  return static_cast<double>(items.size()) / seconds.count();
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Images per second that the loader reads, decodes, resizes and crops");
  std::string directory;
  int workers = 2, repeats = 5;
  app.add_option("folder", directory, "Folder of images")->required();
  app.add_option("--workers", workers, "Threads beside the one that waits");
  app.add_option("--repeats", repeats, "Passes, of which each is told");
  CLI11_PARSE(app, argc, argv);
  const ImageFolder folder = ptq::data::open_image_folder(directory);
  for (int i = 0; i < repeats; ++i) {
    std::printf("%.1f images/s\n", images_per_second(folder, workers));
  }
}
