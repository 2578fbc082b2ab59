#include "eval/gate/junit.h"

#include <algorithm>

#include "base/atomic_file.h"
#include "base/text.h"

namespace ptq::eval {
namespace {

/// Length of the UTF-8 character at `at`, or 0 for bytes that are none.
size_t utf8_length(const std::string& text, size_t at) {
  const auto first = static_cast<unsigned char>(text[at]);
  if (first < 0x80) return 1;
  const size_t length = first >= 0xf5   ? 0
                        : first >= 0xf0 ? 4
                        : first >= 0xe0 ? 3
                        : first >= 0xc2 ? 2
                                        : 0;
  if (length == 0 || at + length > text.size()) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((static_cast<unsigned char>(text[at + i]) & 0xc0U) != 0x80) return 0;
  }
  return length;
}

/// For attributes in double quotes.
std::string escaped(const std::string& text) {
  std::string xml;
  for (size_t at = 0; at < text.size();) {
    const size_t length = utf8_length(text, at);
    const char c = text[at];
    if (length > 1) {
      xml.append(text, at, length);
    } else if (c == '&') {
      xml += "&amp;";
    } else if (c == '<') {
      xml += "&lt;";
    } else if (c == '>') {
      xml += "&gt;";
    } else if (c == '"') {
      xml += "&quot;";
    } else if (c == '\n' || c == '\t') {
      xml += c == '\n' ? "&#10;" : "&#9;";
    } else {
      xml.push_back(length == 0 || static_cast<unsigned char>(c) < 0x20 ? '?' : c);
    }
    at += std::max<size_t>(length, 1);
  }
  return xml;
}

std::string attribute(const char* name, const std::string& value) {
  return std::string(" ") + name + "=\"" + escaped(value) + "\"";
}

/// Of a suite and of all suites.
std::string totals(const std::vector<JUnitCase>& cases) {
  double seconds = 0;
  for (const JUnitCase& each : cases) seconds += each.seconds;
  const auto with = [&](Verdict verdict) {
    return std::to_string(std::count_if(cases.begin(), cases.end(), [&](const JUnitCase& each) {
      return each.verdict == verdict;
    }));
  };
  return attribute("tests", std::to_string(cases.size())) +
         attribute("failures", with(Verdict::kFail)) +
         attribute("errors", with(Verdict::kInconclusive)) + attribute("time", fixed(seconds, 3));
}

std::string case_xml(const JUnitCase& each) {
  const std::string head = "    <testcase" + attribute("classname", each.class_name) +
                           attribute("name", each.name) + attribute("time", fixed(each.seconds, 3));
  if (each.verdict == Verdict::kPass) {
    return head + ">\n      <system-out>" + escaped(each.message) +
           "</system-out>\n    </testcase>\n";
  }
  const char* element = each.verdict == Verdict::kFail ? "failure" : "error";
  return head + ">\n      <" + element + attribute("type", word(each.verdict)) +
         attribute("message", each.message) + "/>\n    </testcase>\n";
}

}  // namespace

std::string junit_xml(const std::string& suite, const std::vector<JUnitCase>& cases) {
  std::string xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites" + totals(cases) +
                    ">\n  <testsuite" + attribute("name", suite) + totals(cases) +
                    attribute("skipped", "0") + ">\n";
  for (const JUnitCase& each : cases) xml += case_xml(each);
  return xml + "  </testsuite>\n</testsuites>\n";
}

void write_junit(const std::string& path, const std::string& suite,
                 const std::vector<JUnitCase>& cases) {
  AtomicFile file(path);
  file.stream() << junit_xml(suite, cases);
  file.commit();
}

}  // namespace ptq::eval
