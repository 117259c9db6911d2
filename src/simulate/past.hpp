#pragma once

#include <vector>

#include "simulate/delay_history.hpp"
#include "simulate/event_queue.hpp"
#include "simulate/jump_recorder.hpp"

namespace kinetune::simulate {

/// What of a simulation counts for how it goes on, besides its states and sensitivities. Of a model in which
/// nothing jumps it is empty.
struct Past {
  EventQueue::State events = {};
  JumpRecorder::State jumps = {};
  std::vector<double> switches = {};   ///< (n_switches) values that are held
  std::vector<double> arguments = {};  ///< (n_switches) SwitchValues::arguments
  std::vector<double> more_rows = {};  ///< of sensitivities: Rows::more
  DelayHistory::State delays = {};
  std::vector<double> echoes = {};  ///< times at which delays look at jumps
  bool is_at_start = false;         ///< of the simulation: no time has gone by
};

}  // namespace kinetune::simulate
