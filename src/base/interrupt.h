#pragma once

namespace nibble {

// Ctrl-C and SIGTERM. The first asks: work stops at its next safe point by throwing
// Error(kInterrupted) from check_interrupt(). The second ends the program at once (exit code 130),
// temporary files removed.
void install_interrupt_handler();
bool interrupt_requested();
// Throws Error(kInterrupted) when the user asked to stop. Call it once per unit of work.
void check_interrupt();

}  // namespace nibble
