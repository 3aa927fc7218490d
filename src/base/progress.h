#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace nibble {

// Progress of one piece of work on standard error: a line that redraws itself on a terminal, a
// plain line every ten seconds elsewhere, nothing when the log is quiet. The estimate of the time
// left is by cost (`total` in any unit: bytes, tokens), not by count of items.
class Progress {
 public:
  Progress(std::string task, uint64_t total);
  ~Progress();  // erases the line
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // `item` says what is in work ("blk.3.ffn_down.weight"); it may be empty. Call from one thread.
  void advance(uint64_t cost, std::string_view item);
  double elapsed_s() const;
  double remaining_s() const;  // by an exponentially weighted rate; < 0 while unknown

 private:
  void draw(std::string_view item);

  using Clock = std::chrono::steady_clock;
  std::string task_;
  uint64_t total_, done_ = 0;
  Clock::time_point start_, last_drawn_, last_rate_;
  uint64_t done_at_last_rate_ = 0;
  double rate_ = 0;
  bool terminal_;
};

void clear_progress_line();

}  // namespace nibble
