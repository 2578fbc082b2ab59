#pragma once

#include <string>

/// Limits that the shell sets (ulimit), in words for a sentence.
namespace ptq {

/// Whether the shell limits memory to less than 8 GiB: address space (ulimit -v) or data (ulimit
/// -d).
bool memory_is_limited();

/// Whether the shell allows so few processes and threads (ulimit -u) that libraries may fail to
/// start theirs.
bool processes_are_limited();

/// "the shell allows 1.75 GiB of address space (ulimit -v)", or what the machine has, for a
/// sentence.
std::string memory_limits();

/// What a user can do about it, for the end of a sentence.
std::string memory_advice();

/// 1.75 GiB
std::string gib(double bytes);

}  // namespace ptq
