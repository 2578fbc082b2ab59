#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ptq/base/error.h"

namespace ptq::import {

/// A record's name as LibTorch compares it with that of another.
std::string lower_case(std::string name);

/// A zip archive of another kind, told by the name of a file in it: what torch.export.save writes,
/// old or new, or anything else.
ImportError not_torchscript(const std::string& name);

/// One file of the archive.
struct Record {
  /// Without the archive's own folder: "data.pkl", "data/0".
  std::string name;
  bool deflated = false;
  uint32_t crc = 0;
  uint64_t stored_size = 0;
  uint64_t size = 0;
  uint64_t data_offset = 0;
};

/// A zip archive as torch.jit.save writes it, read with distrust: every record lies within the file
/// beside the others, in one folder, under a name of its own, and its bytes are those whose
/// checksum the directory holds. Reads nothing but what is asked for. Throws ImportError without
/// the file's name.
class Archive {
 public:
  explicit Archive(const std::string& path);
  ~Archive();
  Archive(const Archive&) = delete;
  Archive& operator=(const Archive&) = delete;

  const std::vector<Record>& records() const { return records_; }
  /// nullptr if there is none.
  const Record* find(const std::string& name) const;
  /// All bytes of a record of at most `most` bytes, checked.
  std::string read(const Record& record, uint64_t most) const;
  /// Reads the record to its end and compares its checksum.
  void verify(const Record& record) const;
  uint64_t file_size() const { return file_size_; }

 private:
  using Sink = std::function<void(std::string_view)>;

  std::string bytes(uint64_t offset, uint64_t size) const;
  void read_directory();
  uint64_t read_entry(const std::string& directory, uint64_t position);
  void place(Record& record, uint64_t header_offset, const std::string& full_name) const;
  void check_overlaps() const;
  void stream(const Record& record, const Sink& sink) const;
  void stream_stored(const Record& record, const Sink& sink) const;
  void stream_deflated(const Record& record, const Sink& sink) const;

  int file_ = -1;
  uint64_t file_size_ = 0;
  uint64_t directory_offset_ = 0;
  std::string folder_;
  std::vector<Record> records_;
  std::unordered_map<std::string, size_t> by_name_;
};

}  // namespace ptq::import
