#pragma once

#include <string>
#include <string_view>
#include <vector>

/// Comma-separated values (RFC 4180) whose records are lines: fields hold no line break.
namespace ptq {

/// A field as it is written: in quotes where a comma, a quote or an outer blank asks for them. Line
/// breaks become blanks.
std::string csv_field(std::string_view text);

/// Fields of a line joined by commas, without the line's end.
std::string csv_line(const std::vector<std::string>& fields);

/// The fields of one line; a '\r' at its end is dropped.
std::vector<std::string> split_csv(std::string_view line);

}  // namespace ptq
