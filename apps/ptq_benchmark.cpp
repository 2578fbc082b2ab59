#include "ptq/bench/benchmark.h"
#include "ptq/cli/program_main.h"
#include "ptq/cli/terminal_log.h"

int main(int argc, char** argv) {
  return ptq::cli::program_main([&] {
    ptq::cli::TerminalLog log;
    ptq::bench::benchmark(argc, argv, log);
    return 0;
  });
}
