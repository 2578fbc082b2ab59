#include <exception>
#include <iostream>

#include "ptq/base/error.h"
#include "ptq/cli/compare.h"

namespace {

int fail(ptq::ExitCode code, const std::string& message) {
  std::cerr << "error: " << message << std::endl;
  return static_cast<int>(code);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return static_cast<int>(ptq::cli::run_compare(argc, argv));
  } catch (const ptq::Error& error) {
    return fail(error.exit_code(), error.what());
  } catch (const std::exception& error) {
    return fail(ptq::ExitCode::kInternal, std::string("this should not happen: ") + error.what());
  }
}
