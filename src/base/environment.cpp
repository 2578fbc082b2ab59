#include "base/environment.h"

#include <elf.h>
#include <link.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "base/cpu_isa.h"

namespace ptq {
namespace {

namespace fs = std::filesystem;

struct Object {
  std::string file;
  std::string build;
};

/// Notes are a name and a description, each padded to words.
std::string build_id(const uint8_t* notes, size_t size) {
  const auto padded = [](size_t bytes) { return (bytes + 3) / 4 * 4; };
  while (size >= sizeof(ElfW(Nhdr))) {
    const auto* note = reinterpret_cast<const ElfW(Nhdr)*>(notes);
    const size_t name = padded(note->n_namesz);
    const size_t whole = sizeof(ElfW(Nhdr)) + name + padded(note->n_descsz);
    if (whole > size) break;
    if (note->n_type == NT_GNU_BUILD_ID) {
      return {reinterpret_cast<const char*>(notes) + sizeof(ElfW(Nhdr)) + name, note->n_descsz};
    }
    notes += whole;
    size -= whole;
  }
  return {};
}

std::string size_and_time(const std::string& file) {
  std::error_code failure;
  const auto size = fs::file_size(file, failure);
  const auto time = fs::last_write_time(file, failure).time_since_epoch().count();
  return file + " " + std::to_string(size) + " " + std::to_string(time);
}

int add_object(dl_phdr_info* info, size_t /*size*/, void* objects) {
  std::string file = info->dlpi_name;
  if (file.rfind("linux-vdso", 0) == 0) return 0;  // the kernel's
  if (file.empty()) file = "/proc/self/exe";
  std::string build;
  for (int i = 0; i < info->dlpi_phnum && build.empty(); ++i) {
    const ElfW(Phdr)& part = info->dlpi_phdr[i];
    if (part.p_type != PT_NOTE) continue;
    // The linker gives addresses as numbers.
    // NOLINTNEXTLINE(performance-no-int-to-ptr)
    const auto* note = reinterpret_cast<const uint8_t*>(info->dlpi_addr + part.p_vaddr);
    build = build_id(note, part.p_memsz);
  }
  if (build.empty()) build = size_and_time(file);
  static_cast<std::vector<Object>*>(objects)->push_back({file, build});
  return 0;
}

std::vector<Object> loaded_objects() {
  std::vector<Object> objects;
  dl_iterate_phdr(add_object, &objects);
  std::sort(objects.begin(), objects.end(),
            [](const Object& a, const Object& b) { return a.build < b.build; });
  return objects;
}

bool begins_with_one(const std::string& text, const std::vector<std::string_view>& beginnings) {
  return std::any_of(beginnings.begin(), beginnings.end(),
                     [&](std::string_view each) { return text.rfind(each, 0) == 0; });
}

/// The lines of the first processor that say what it can do.
std::string processor() {
  const std::vector<std::string_view> telling = {
      "vendor_id", "cpu family", "model",           "stepping", "flags",
      "cache",     "Features",   "CPU implementer", "CPU part", "CPU variant"};
  std::ifstream file("/proc/cpuinfo");
  std::string text;
  for (std::string line; std::getline(file, line) && !line.empty();) {
    if (begins_with_one(line, telling)) text += line + "\n";
  }
  return text;
}

std::string variables() {
  const std::vector<std::string_view> telling = {"ATEN_",   "BLIS_",     "DNNL_",
                                                 "GOTO_",   "MKL_",      "OMP_",
                                                 "ONEDNN_", "OPENBLAS_", "PTQ_MAX_CPU_ISA"};
  std::vector<std::string> found;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (begins_with_one(*variable, telling)) found.emplace_back(*variable);
  }
  std::sort(found.begin(), found.end());
  std::string text;
  for (const std::string& each : found) text += each + "\n";
  return text;
}

}  // namespace

std::string builds_of(const std::vector<std::string_view>& names) {
  std::string text;
  for (const Object& object : loaded_objects()) {
    if (begins_with_one(fs::path(object.file).filename().string(), names)) text += object.build;
  }
  return text;
}

std::string float_environment() {
  std::string text = processor() + variables() + std::to_string(static_cast<int>(allowed_isa()));
  for (const Object& object : loaded_objects()) text += object.build;
  return text;
}

}  // namespace ptq
