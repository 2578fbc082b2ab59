#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

/// Pages from templates: self-contained HTML whose script draws the data in it.
namespace ptq::report {

/// What stands in page/page.html (the body), page.css and page.js of a room, as the build puts it
/// into the program (cmake/page_template.cpp.in).
struct PageTemplate {
  std::string_view body, style, script;
};

/// The whole page, with `data` in the element "data" for the script.
std::string page(const PageTemplate& parts, std::string_view title, const nlohmann::json& data);

/// The template with the text of each name where it says `{{name}}`; texts are not looked into.
/// Throws InternalError for a place without a text.
std::string filled(std::string_view html, const std::map<std::string, std::string>& texts);

/// Data as the contents of a script element: nothing in it ends the element, or keeps it from
/// ending (`<!--<script>`).
std::string script_text(const nlohmann::json& data);

/// Text as HTML shows it.
std::string html_text(std::string_view text);

}  // namespace ptq::report
