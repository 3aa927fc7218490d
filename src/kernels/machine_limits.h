#pragma once

#include "base/thread_pool.h"

namespace nibble {

// What this machine can do at most, measured with all threads of a pool: the numbers that speeds
// are compared with.
struct MachineLimits {
  double read_bandwidth;  // bytes per second from memory
  double int8_ops;        // 8-bit multiplications and additions per second, active instruction set
  double f32_ops;         // the same in f32
};

// Takes about a second and 256 MiB (less per thread where there are many). Another busy program
// makes the numbers smaller.
MachineLimits measure_machine_limits(ThreadPool& pool);

}  // namespace nibble
