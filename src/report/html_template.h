#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

/// Pages from templates: self-contained HTML whose script draws the data in it.
namespace ptq::report {

/// The template with the text of each name where it says `{{name}}`; texts are not looked into.
/// Throws InternalError for a place without a text.
std::string filled(std::string_view page, const std::map<std::string, std::string>& texts);

/// Data as the contents of a script element: nothing in it ends the element.
std::string script_text(const nlohmann::json& data);

/// Text as HTML shows it.
std::string html_text(std::string_view text);

}  // namespace ptq::report
