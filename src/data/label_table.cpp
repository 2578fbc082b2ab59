#include "data/label_table.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <sstream>
#include <string_view>
#include <vector>

#include "base/csv.h"
#include "data/label_files.h"

namespace ptq::data {
namespace {

namespace fs = std::filesystem;
using Fields = std::vector<std::string>;

/// Headings, those that say most first.
constexpr std::array<std::string_view, 15> kFiles = {
    "filename", "file_name", "file",      "imageid",    "image_id", "image", "img",    "image_name",
    "path",     "filepath",  "file_path", "image_path", "name",     "id",    "id_code"};
constexpr std::array<std::string_view, 15> kClasses = {
    "predictionstring", "label",      "class",      "target",   "category", "wnid",
    "synset",           "label_name", "class_name", "class_id", "breed",    "labelname",
    "label_id",         "diagnosis",  "classname"};

struct Columns {
  size_t file = 0;
  size_t label = 1;
  bool first_word = false;
  bool are_headed = false;
};

Fields split_at_tabs(const std::string& line) {
  Fields fields;
  std::istringstream rest(line);
  for (std::string field; std::getline(rest, field, '\t');) fields.push_back(field);
  return fields;
}

Fields trimmed_fields(const std::string& line, bool has_commas) {
  Fields fields = has_commas ? split_csv(line) : split_at_tabs(line);
  for (std::string& field : fields) field = trimmed(field);
  return fields;
}

template <class Headings>
std::optional<size_t> column_of(const Fields& fields, const Headings& headings) {
  for (const std::string_view heading : headings) {
    const auto found = std::find(fields.begin(), fields.end(), heading);
    if (found != fields.end()) return static_cast<size_t>(found - fields.begin());
  }
  return std::nullopt;
}

/// A first line that names a file's column, and either its class's too or nothing before it.
Columns columns_of(Fields first_line) {
  for (std::string& field : first_line) {
    std::transform(field.begin(), field.end(), field.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  }
  const auto file = column_of(first_line, kFiles);
  const auto label = column_of(first_line, kClasses);
  if (!file || (!label && *file != 0)) return {};
  const bool first_word = label && first_line[*label] == kClasses.front();
  return {*file, label.value_or(*file + 1), first_word, true};
}

}  // namespace

LabelTable read_label_table(const fs::path& file) {
  LabelTable table;
  std::optional<Columns> columns;
  const bool has_commas = file.extension() == ".csv";
  for_each_line(file, [&](int line, const std::string& text) {
    const Fields fields = trimmed_fields(text, has_commas);
    const bool is_first = !columns;
    if (is_first) columns = columns_of(fields);
    if (is_first && columns->are_headed) return;
    if (fields.size() <= std::max(columns->file, columns->label) ||
        fields[columns->label].empty()) {
      refuse_line(file, line, "expected a file and a class, got '" + text + "'");
    }
    const std::string& name = fields[columns->file];
    std::string label = fields[columns->label];
    if (columns->first_word) label = label.substr(0, label.find_first_of(" \t"));
    const auto [known, is_new] =
        table.classes.emplace(fs::path(name).stem().string(), NamedClass{label, line});
    if (!is_new) list_again(file, line, name, known->second.name == label, table.listed_again);
  });
  return table;
}

}  // namespace ptq::data
