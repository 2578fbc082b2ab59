#pragma once

#include <string>
#include <vector>

#include "eval/gate.h"

namespace ptq::eval {

/// One verdict as CI systems know it.
struct JUnitCase {
  std::string class_name;
  std::string name;
  double seconds = 0;
  Verdict verdict = Verdict::kPass;
  /// What was found, whatever the verdict.
  std::string message;
};

/// The JUnit XML that Jenkins, GitLab and GitHub read: `testsuites`, one `testsuite`, and a
/// `testcase` each with nothing more for a pass, a `failure` for a fail, and an `error` for what is
/// inconclusive. Characters that XML has no way to write become '?'.
std::string junit_xml(const std::string& suite, const std::vector<JUnitCase>& cases);

/// Writes it, complete or not at all. Throws OutputError naming the file.
void write_junit(const std::string& path, const std::string& suite,
                 const std::vector<JUnitCase>& cases);

}  // namespace ptq::eval
