// Part of the build: writes the man page and the shell completion of ptq_imagenet_val into a
// folder.
#include "base/atomic_file.h"
#include "cli/program_main.h"
#include "options/pages/option_words.h"
#include "ptq/base/error.h"

namespace {

void write(const std::string& path, const std::string& text) {
  ptq::AtomicFile file(path);
  file.stream() << text;
  file.commit();
}

}  // namespace

int main(int argc, char** argv) {
  return ptq::cli::program_main([&] {
    if (argc != 2) throw ptq::ConfigError("usage: write_program_pages FOLDER");
    const std::string folder = argv[1];
    write(folder + "/ptq_imagenet_val.1", ptq::options::man_page());
    write(folder + "/ptq_imagenet_val.bash", ptq::options::bash_completion());
    return 0;
  });
}
