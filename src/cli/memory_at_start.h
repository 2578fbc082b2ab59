#pragma once

namespace ptq::cli {

/// Ends the program with a sentence and exit code 71 where the shell leaves it too little address
/// space. To be called before the constructors of LibTorch's libraries, which would end it before
/// main without a sentence: as an entry of .preinit_array, with nothing but the kernel at hand.
void check_memory_at_start(int count, char** arguments, char** environment);

}  // namespace ptq::cli
