#include "report/html_template.h"

#include <nlohmann/json.hpp>

#include "ptq/base/error.h"

namespace ptq::report {
namespace {

/// Nothing is loaded from anywhere: styles, scripts and pictures are in the file.
constexpr std::string_view kFrame = R"page(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:">
<title>{{TITLE}}</title>
<style>
{{STYLE}}</style>
</head>
<body>
{{BODY}}<script type="application/json" id="data">{{DATA}}</script>
<script>
{{SCRIPT}}</script>
</body>
</html>
)page";

}  // namespace

std::string page(const PageTemplate& parts, std::string_view title, const nlohmann::json& data) {
  return filled(kFrame, {{"TITLE", html_text(title)},
                         {"STYLE", std::string(parts.style)},
                         {"BODY", std::string(parts.body)},
                         {"DATA", script_text(data)},
                         {"SCRIPT", std::string(parts.script)}});
}

std::string filled(std::string_view html, const std::map<std::string, std::string>& texts) {
  std::string made;
  for (size_t at = html.find("{{"); at != html.npos; at = html.find("{{")) {
    const size_t end = html.find("}}", at);
    const auto text = texts.find(std::string(html.substr(at + 2, end - at - 2)));
    if (end == html.npos || text == texts.end()) throw InternalError("a page has an odd place");
    made.append(html.substr(0, at)).append(text->second);
    html.remove_prefix(end + 2);
  }
  return made.append(html);
}

std::string script_text(const nlohmann::json& data) {
  std::string text = data.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  for (size_t at = 0; (at = text.find('<', at)) != std::string::npos; ++at) {
    text.replace(at, 1, "\\u003c");
  }
  return text;
}

std::string html_text(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    if (c == '&') safe += "&amp;";
    if (c == '<') safe += "&lt;";
    if (c != '&' && c != '<') safe += c;
  }
  return safe;
}

}  // namespace ptq::report
