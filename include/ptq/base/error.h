#pragma once

#include <stdexcept>
#include <string>

namespace ptq {

/// What a program of this project returns to the shell. 0 is success; 1 and 2 are verdicts on
/// accuracy, of runs that went well otherwise. The other numbers follow sysexits.h where it has a
/// word for the case.
enum class ExitCode : int {
  kSuccess = 0,
  kGateFailed = 1,        // accuracy dropped too far, or a guard found a broken result
  kGateInconclusive = 2,  // too few images to tell
  kUsage = 64,            // a flag, a configuration file, or a combination of options
  kData = 65,             // images, labels, folders
  kModel = 66,            // the TorchScript file, or what it computes
  kQuantization = 67,     // a quantizer that cannot be built for this model
  kExport = 68,    // a network that an export format cannot express, a file that cannot be read
  kInternal = 70,  // a broken invariant: our mistake
  kSystem = 71,    // memory, threads or processes that the system does not give
  kOutput = 73,    // a file that could not be written
};

/// Base of everything a user can cause. The message is one sentence that names the file, layer or
/// flag; main prints it and returns exit_code().
class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ExitCode exit_code() const { return code_; }

 private:
  ExitCode code_;
};

struct ConfigError : Error {
  explicit ConfigError(const std::string& message) : Error(ExitCode::kUsage, message) {}
};
struct DataError : Error {
  explicit DataError(const std::string& message) : Error(ExitCode::kData, message) {}
};
struct ImportError : Error {
  explicit ImportError(const std::string& message) : Error(ExitCode::kModel, message) {}
};
struct QuantizationError : Error {
  explicit QuantizationError(const std::string& message)
      : Error(ExitCode::kQuantization, message) {}
};
struct ExportError : Error {
  explicit ExportError(const std::string& message) : Error(ExitCode::kExport, message) {}
};
struct SystemError : Error {
  explicit SystemError(const std::string& message) : Error(ExitCode::kSystem, message) {}
};
struct OutputError : Error {
  explicit OutputError(const std::string& message) : Error(ExitCode::kOutput, message) {}
};

/// An invariant of this project does not hold; never the user's fault.
struct InternalError : Error {
  explicit InternalError(const std::string& message) : Error(ExitCode::kInternal, message) {}
};

}  // namespace ptq
