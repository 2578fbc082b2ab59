#include "cli/program_main.h"
#include "cli/terminal_log.h"
#include "sweep/benchmark.h"

int main(int argc, char** argv) {
  return ptq::cli::program_main([&] {
    ptq::cli::TerminalLog log;
    ptq::sweep::benchmark(argc, argv, log);
    return 0;
  });
}
