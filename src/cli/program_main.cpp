#include "ptq/cli/program_main.h"

#include <exception>
#include <iostream>
#include <new>

#include "ptq/base/cpu_isa.h"
#include "ptq/base/first_sentence.h"

namespace ptq::cli {

int program_main(const std::function<int()>& program) noexcept {
  try {
    allowed_isa();  // an unknown word in the environment ends the program here, not in a kernel
    return program();
  } catch (const Error& error) {
    return fail(error.exit_code(), error.what());
  } catch (const std::bad_alloc&) {
    return fail(ExitCode::kInternal, "out of memory");
  } catch (const std::exception& error) {
    return fail(ExitCode::kInternal, "internal error, please report it: " + first_sentence(error));
  }
}

int fail(ExitCode code, const std::string& message) {
  std::cerr << "error: " << message << std::endl;
  return static_cast<int>(code);
}

}  // namespace ptq::cli
