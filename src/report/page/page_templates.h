#pragma once

#include <string_view>

/// page.html, page.css and page.js, as the build put them into the program.
namespace ptq::report {

extern const std::string_view kPageHtml;
extern const std::string_view kPageStyle;
extern const std::string_view kPageScript;

}  // namespace ptq::report
