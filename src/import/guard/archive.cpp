#include "import/guard/archive.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstring>

#include "import/guard/directory.h"
#include "ptq/base/error.h"

namespace ptq::import {
namespace {

constexpr uint64_t kPiece = 1 << 20;
constexpr uint64_t kMostRecords = 1 << 20;

/// What a record may grow to where it is compressed: code and debug tables do, tensors are stored.
constexpr uint64_t kMostInflated = 256 << 20;

ImportError damaged(const std::string& what) { return ImportError("is damaged: " + what); }

/// Ends with the scope of whoever inflates.
struct Inflater {
  z_stream stream{};
  explicit Inflater(const std::string& name) {
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) throw std::bad_alloc();
    (void)name;
  }
  ~Inflater() { inflateEnd(&stream); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
};

}  // namespace

std::string lower_case(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return name;
}

ImportError not_torchscript(const std::string& name) {
  if (name == "archive_format" || name.rfind("serialized_", 0) == 0) {
    return ImportError(
        "is an exported program, as torch.export.save writes it; a TorchScript file from "
        "torch.jit.save is needed (torch.jit.trace or torch.jit.script make one)");
  }
  return ImportError("is a zip archive, but not TorchScript");
}

Archive::Archive(const std::string& path) : file_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
  struct stat status {};
  if (file_ < 0 || fstat(file_, &status) != 0) {
    throw ImportError(std::string("cannot be read: ") + std::strerror(errno));
  }
  file_size_ = static_cast<uint64_t>(status.st_size);
  try {
    read_directory();
    check_overlaps();
  } catch (...) {
    close(file_);
    throw;
  }
}

Archive::~Archive() { close(file_); }

std::string Archive::bytes(uint64_t offset, uint64_t size) const {
  if (offset > file_size_ || size > file_size_ - offset) {
    throw damaged("its zip directory points beyond its end");
  }
  std::string text(size, '\0');
  uint64_t done = 0;
  while (done < size) {
    const ssize_t got = pread(file_, &text[done], size - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw ImportError(std::string("cannot be read: ") + std::strerror(errno));
    if (got == 0) throw damaged("it became shorter while it was read");
    done += static_cast<uint64_t>(got);
  }
  return text;
}

void Archive::read_directory() {
  const uint64_t tail = std::min<uint64_t>(file_size_, kLongestTail);
  const auto at = [this](uint64_t offset, uint64_t size) { return bytes(offset, size); };
  const DirectoryPlace place = find_directory(bytes(file_size_ - tail, tail), file_size_, at);
  if (place.entries > kMostRecords) throw damaged("its zip directory names too many files");
  directory_offset_ = place.offset;
  const std::string directory = bytes(place.offset, place.size);
  uint64_t position = 0;
  for (uint64_t i = 0; i < place.entries; ++i) position = read_entry(directory, position);
}

uint64_t Archive::read_entry(const std::string& directory, uint64_t position) {
  DirectoryEntry entry = parse_entry(directory, position);
  if (entry.encrypted || (entry.method != 0 && entry.method != Z_DEFLATED)) {
    throw damaged(in_quotes(entry.name) + " is packed in a way that torch.jit.save never uses");
  }
  const size_t slash = entry.name.find('/');
  const std::string folder = slash == std::string::npos ? "" : entry.name.substr(0, slash);
  if (records_.empty()) folder_ = folder;
  if (folder.empty() || folder != folder_) throw not_torchscript(entry.name);
  Record record;
  record.name = entry.name.substr(slash + 1);
  record.deflated = entry.method == Z_DEFLATED;
  record.crc = entry.crc;
  record.stored_size = entry.stored_size;
  record.size = entry.size;
  place(record, entry.header_offset, entry.name);
  // Readers disagree on which of two equal names counts, and some on what is equal.
  if (!by_name_.emplace(lower_case(record.name), records_.size()).second) {
    throw damaged(in_quotes(record.name) + " is in it twice");
  }
  records_.push_back(std::move(record));
  return entry.end;
}

/// Readers take some facts from the directory and some from the header before the data.
void Archive::place(Record& record, uint64_t header_offset, const std::string& full_name) const {
  const LocalHeader header = parse_local_header(bytes(header_offset, kLocalHeaderSize));
  const bool same_name = header.name_size == full_name.size() &&
                         bytes(header_offset + kLocalHeaderSize, header.name_size) == full_name;
  const bool same_method = (header.method == Z_DEFLATED) == record.deflated;
  record.data_offset = header_offset + kLocalHeaderSize + header.name_size + header.extra_size;
  const bool within = record.data_offset <= directory_offset_ &&
                      record.stored_size <= directory_offset_ - record.data_offset;
  if (!same_name || !same_method || !within ||
      (!record.deflated && record.size != record.stored_size)) {
    throw damaged("the zip directory and the header of " + in_quotes(record.name) + " disagree");
  }
  if (record.deflated && record.size > kMostInflated) {
    throw ImportError(in_quotes(record.name) + " in it unpacks to " + std::to_string(record.size) +
                      " bytes, more than the " + std::to_string(kMostInflated) + " allowed");
  }
}

void Archive::check_overlaps() const {
  std::vector<const Record*> sorted;
  for (const Record& record : records_) sorted.push_back(&record);
  std::sort(sorted.begin(), sorted.end(),
            [](const Record* a, const Record* b) { return a->data_offset < b->data_offset; });
  uint64_t inflated = 0;
  for (size_t i = 0; i < sorted.size(); ++i) {
    if (sorted[i]->deflated) inflated += sorted[i]->size;
    if (i == 0 ||
        sorted[i - 1]->data_offset + sorted[i - 1]->stored_size <= sorted[i]->data_offset) {
      continue;
    }
    throw damaged(in_quotes(sorted[i - 1]->name) + " and " + in_quotes(sorted[i]->name) +
                  " overlap");
  }
  if (inflated > kMostInflated) {
    throw ImportError("its compressed files unpack to " + std::to_string(inflated) +
                      " bytes, more than the " + std::to_string(kMostInflated) + " allowed");
  }
}

const Record* Archive::find(const std::string& name) const {
  const auto found = by_name_.find(lower_case(name));
  if (found == by_name_.end() || records_[found->second].name != name) return nullptr;
  return &records_[found->second];
}

void Archive::stream_stored(const Record& record, const Sink& sink) const {
  for (uint64_t done = 0; done < record.stored_size; done += kPiece) {
    sink(bytes(record.data_offset + done, std::min(kPiece, record.stored_size - done)));
  }
}

void Archive::stream_deflated(const Record& record, const Sink& sink) const {
  Inflater inflater(record.name);
  std::array<char, 1 << 16> out{};
  uint64_t total = 0;
  int status = Z_OK;
  for (uint64_t done = 0; done < record.stored_size && status == Z_OK; done += kPiece) {
    std::string piece =
        bytes(record.data_offset + done, std::min(kPiece, record.stored_size - done));
    inflater.stream.next_in = reinterpret_cast<Bytef*>(piece.data());
    inflater.stream.avail_in = static_cast<uInt>(piece.size());
    do {
      inflater.stream.next_out = reinterpret_cast<Bytef*>(out.data());
      inflater.stream.avail_out = static_cast<uInt>(out.size());
      status = inflate(&inflater.stream, Z_NO_FLUSH);
      if (status == Z_BUF_ERROR) status = Z_OK;
      const size_t made = out.size() - inflater.stream.avail_out;
      total += made;
      if (total > record.size) status = Z_DATA_ERROR;
      if (status == Z_OK || status == Z_STREAM_END) sink({out.data(), made});
    } while (status == Z_OK && inflater.stream.avail_out == 0);
  }
  if (status != Z_STREAM_END || total != record.size) {
    throw damaged(in_quotes(record.name) + " does not unpack to the size that the directory says");
  }
}

void Archive::stream(const Record& record, const Sink& sink) const {
  uLong crc = crc32(0, nullptr, 0);
  const Sink summing = [&](std::string_view piece) {
    crc = crc32_z(crc, reinterpret_cast<const Bytef*>(piece.data()), piece.size());
    sink(piece);
  };
  record.deflated ? stream_deflated(record, summing) : stream_stored(record, summing);
  if (crc != record.crc) {
    throw damaged(in_quotes(record.name) + " does not match its checksum");
  }
}

std::string Archive::read(const Record& record, uint64_t most) const {
  if (record.size > most) {
    throw ImportError(in_quotes(record.name) + " in it has " + std::to_string(record.size) +
                      " bytes, more than the " + std::to_string(most) + " allowed");
  }
  std::string text;
  text.reserve(record.size);
  stream(record, [&](std::string_view piece) { text += piece; });
  return text;
}

void Archive::verify(const Record& record) const {
  stream(record, [](std::string_view) {});
}

}  // namespace ptq::import
