#include "base/csv.h"

namespace ptq {

std::string csv_field(std::string_view text) {
  std::string field;
  bool quoted = !text.empty() && (text.front() == ' ' || text.back() == ' ');
  for (const char c : text) {
    quoted = quoted || c == ',' || c == '"';
    if (c == '"') field.push_back('"');
    field.push_back(c == '\n' || c == '\r' ? ' ' : c);
  }
  return quoted ? '"' + field + '"' : field;
}

std::string csv_line(const std::vector<std::string>& fields) {
  std::string line;
  for (size_t i = 0; i < fields.size(); ++i) line += (i == 0 ? "" : ",") + csv_field(fields[i]);
  return line;
}

std::vector<std::string> split_csv(std::string_view line) {
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '"') {
      const bool doubled = quoted && i + 1 < line.size() && line[i + 1] == '"';
      if (doubled) fields.back().push_back(line[++i]);
      if (!doubled) quoted = !quoted;
    } else if (c == ',' && !quoted) {
      fields.emplace_back();
    } else {
      fields.back().push_back(c);
    }
  }
  return fields;
}

}  // namespace ptq
