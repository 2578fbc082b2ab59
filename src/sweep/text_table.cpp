#include "sweep/text_table.h"

#include <algorithm>

#include "base/atomic_file.h"
#include "base/input_file.h"
#include "ptq/base/error.h"

namespace ptq::sweep {
namespace {

std::string quoted(const std::string& cell) {
  if (cell.find_first_of(",\"\r\n") == std::string::npos) return cell;
  std::string text = "\"";
  for (const char c : cell) text += c == '"' ? std::string("\"\"") : std::string(1, c);
  return text + "\"";
}

/// More than a sweep of the most combinations writes.
constexpr size_t kMostCells = 8'000'000;

/// Reads a text record by record.
class CsvReader {
 public:
  CsvReader(const std::string& text, const std::string& name) : text_(text), name_(name) {}

  /// False at the end and at a record that is not ended by a newline.
  bool next(std::vector<std::string>& cells) {
    cells.clear();
    add_cell(cells);
    bool in_quotes = false;
    while (position_ < text_.size()) {
      const char c = text_[position_++];
      if (in_quotes) {
        in_quotes = c != '"' || take('"');
        if (in_quotes) cells.back() += c;
      } else if (c == '"') {
        in_quotes = true;
      } else if (c == ',') {
        add_cell(cells);
      } else if (c == '\n') {
        return true;
      } else if (c != '\r') {
        cells.back() += c;
      }
    }
    return false;
  }

 private:
  bool take(char wanted) {
    if (position_ >= text_.size() || text_[position_] != wanted) return false;
    ++position_;
    return true;
  }

  void add_cell(std::vector<std::string>& cells) {
    cells.emplace_back();
    if (++cells_ <= kMostCells) return;
    throw DataError(name_ + " has more cells than the " + std::to_string(kMostCells) +
                    " that a table may have");
  }

  const std::string& text_;
  const std::string& name_;
  size_t position_ = 0;
  size_t cells_ = 0;
};

}  // namespace

bool TextTable::has(const std::string& column) const {
  return std::find(columns.begin(), columns.end(), column) != columns.end();
}

size_t TextTable::index_of(const std::string& column) const {
  const auto found = std::find(columns.begin(), columns.end(), column);
  if (found == columns.end()) throw InternalError("a table has no column " + column);
  return static_cast<size_t>(found - columns.begin());
}

const std::string& TextTable::cell(const std::vector<std::string>& row,
                                   const std::string& column) const {
  return row.at(index_of(column));
}

std::string csv_line(const std::vector<std::string>& cells) {
  std::string line;
  for (size_t i = 0; i < cells.size(); ++i) line += (i == 0 ? "" : ",") + quoted(cells[i]);
  return line + "\n";
}

TextTable parse_csv(const std::string& text, const std::string& name) {
  TextTable table;
  CsvReader reader(text, name);
  if (!reader.next(table.columns)) return {};
  std::vector<std::string> cells;
  while (reader.next(cells)) {
    if (cells.size() != table.columns.size()) {
      throw DataError(name + ": row " + std::to_string(table.rows.size() + 1) + " has " +
                      std::to_string(cells.size()) + " cells, the header " +
                      std::to_string(table.columns.size()));
    }
    table.rows.push_back(cells);
  }
  return table;
}

TextTable read_csv(const std::string& path) {
  const InputText text = read_input(path);
  if (!text.obstacle.empty()) throw DataError(path + " " + text.obstacle);
  if (!text.bytes.empty() && text.bytes.back() != '\n') {
    throw DataError(path + ": the last row is cut short: the file does not end with a newline");
  }
  return parse_csv(text.bytes, path);
}

void write_csv(const std::string& path, const TextTable& table) {
  AtomicFile file(path);
  file.stream() << csv_line(table.columns);
  for (const auto& row : table.rows) file.stream() << csv_line(row);
  file.commit();
}

}  // namespace ptq::sweep
