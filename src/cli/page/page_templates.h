#pragma once

#include <string_view>

/// page.html, page.css and page.js, as the build put them into the program.
namespace ptq::cli {

extern const std::string_view kPageHtml;
extern const std::string_view kPageStyle;
extern const std::string_view kPageScript;

}  // namespace ptq::cli
