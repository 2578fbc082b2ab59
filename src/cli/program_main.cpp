#include "cli/program_main.h"

#include <c10/util/Exception.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <iostream>
#include <new>
#include <string>
#include <system_error>

#include "base/cpu_isa.h"
#include "base/first_sentence.h"
#include "base/limits.h"
#include "base/one_line.h"
#include "base/supervisor.h"
#include "cli/memory_at_start.h"
#include "ptq/base/error.h"

namespace ptq::cli {
namespace {

// Sanitizers begin where this stands, and cannot be used before.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
using BeforeConstructors = void (*)(int, char**, char**);
__attribute__((section(".preinit_array"), used)) const BeforeConstructors kCheckMemory =
    check_memory_at_start;
#endif

int out_of_memory() {
  return fail(ExitCode::kSystem, "out of memory: " + memory_limits() + "; " + memory_advice());
}

/// Libraries tell it in words of their own.
bool speaks_of_memory(const std::string& words) {
  for (const char* phrase : {"allocate memory", "not enough memory", "bad_alloc", "out of memory",
                             "Cannot allocate memory"}) {
    if (words.find(phrase) != std::string::npos) return true;
  }
  return false;
}

int fail_by_library(const std::exception& error) {
  const std::string words = first_sentence(error);
  if (speaks_of_memory(words)) return out_of_memory();
  if (memory_is_limited()) {
    return fail(ExitCode::kSystem, "a library failed (" + words + ") where " + memory_limits() +
                                       "; " + memory_advice());
  }
  return fail(ExitCode::kInternal, "internal error, please report it: " + words);
}

/// The log writes by C's means, help and version by C++'s.
bool standard_output_is_good() {
  return static_cast<bool>(std::cout.flush()) && std::fflush(stdout) == 0 &&
         std::ferror(stdout) == 0;
}

int run_program(const std::function<int()>& program) noexcept {
  try {
    allowed_isa();  // an unknown word in the environment ends the program here, not in a kernel
    const int code = program();
    if (code == 0 && !standard_output_is_good()) {
      return fail(ExitCode::kOutput,
                  "standard output cannot be written: its disk is full, or nobody reads it");
    }
    return code;
  } catch (const Error& error) {
    if (memory_is_limited() && speaks_of_memory(error.what())) return out_of_memory();
    return fail(error.exit_code(), error.what());
  } catch (const std::bad_alloc&) {
    return out_of_memory();
  } catch (const std::system_error& error) {
    if (error.code() != std::errc::resource_unavailable_try_again) return fail_by_library(error);
    return fail(ExitCode::kSystem,
                "a thread cannot be started; --threads 1 --workers 1 needs the fewest");
  } catch (const std::exception& error) {
    return fail_by_library(error);
  }
}

}  // namespace

int program_main(const std::function<int()>& program) noexcept {
  try {
    const Ending ending = supervise([&] { return run_program(program); });
    if (ending.signal != 0) {
      ::signal(ending.signal, SIG_DFL);
      raise(ending.signal);
    }
    if (ending.sentence.empty()) return ending.exit_code;
    return fail(static_cast<ExitCode>(ending.exit_code), ending.sentence);
  } catch (const std::exception& error) {
    return fail_by_library(error);
  }
}

int fail(ExitCode code, const std::string& message) {
  std::cerr << "error: " << one_line(message) << std::endl;
  return static_cast<int>(code);
}

}  // namespace ptq::cli
