#include "cli/compare_command.h"
#include "cli/program_main.h"

int main(int argc, char** argv) {
  return ptq::cli::program_main(
      [&] { return static_cast<int>(ptq::cli::run_compare(argc, argv)); });
}
