#pragma once

#include <filesystem>
#include <fstream>
#include <string>

namespace ptq::support {

/// A folder of its own under the system's temporary folder, removed with everything in it.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "ptq-test-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::string& path() const { return path_; }

  /// Path of a file or folder in it; folders above it are made.
  std::string file(const std::string& relative) const {
    const std::filesystem::path whole = std::filesystem::path(path_) / relative;
    std::filesystem::create_directories(whole.parent_path());
    return whole.string();
  }

  /// Writes a file of this content and returns its path.
  std::string write(const std::string& relative, const std::string& content) const {
    const std::string whole = file(relative);
    std::ofstream(whole, std::ios::binary) << content;
    return whole;
  }

 private:
  std::string path_;
};

/// Everything in a file.
inline std::string content_of(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

}  // namespace ptq::support
