// Images per second that the loader reads, decodes, resizes and crops; and per second of processor
// time, which compares beside other work too.

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <numeric>
#include <string>
#include <vector>

#include "ptq/data/image_folder.h"
#include "ptq/data/loader.h"

namespace {

using ptq::data::ImageFolder;
using ptq::data::Loader;

void tell_images_per_second(const ImageFolder& folder, int workers) {
  std::vector<int64_t> items(folder.items.size());
  std::iota(items.begin(), items.end(), 0);
  ptq::data::LoaderOptions options;
  options.workers = workers;
  Loader loader(folder, items, options);
  const std::clock_t processor_begin = std::clock();
  const auto begin = std::chrono::steady_clock::now();
  loader.start(64);
  while (loader.next()) {
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  const double processor_seconds =
      static_cast<double>(std::clock() - processor_begin) / CLOCKS_PER_SEC;
  const auto images = static_cast<double>(items.size());
  std::printf("%.1f images/s, %.1f per second of processor time\n", images / seconds.count(),
              images / processor_seconds);
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
  for (int i = 0; i < repeats; ++i) tell_images_per_second(folder, workers);
}
