// How many ranks can one coordinator keep busy? Discrete events around the real Scheduler: no ranks, no
// waiting.
//
//   simulate_schedule DURATIONS SERVICE
//
// DURATIONS: a text file with the measured seconds of starts; tasks draw from them with replacement. SERVICE:
// seconds that the coordinator needs for one result (to take it, hand out the next task and write);
// benchmark_run_file measures most of it. A message is under way for 20 microseconds. Printed for 1 to 100
// starts a rank: which share of the ranks' time is work, which share at most would be with a coordinator that
// takes no time (the longest start is what is left), and how busy the coordinator is.
#include <algorithm>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <iterator>
#include <numeric>
#include <queue>
#include <vector>

#include <fmt/format.h>

#include "core/random.hpp"
#include "parallel/scheduler.hpp"

namespace {

using kinetune::parallel::Scheduler;

constexpr double latency = 20e-6;  // of a message, s

std::vector<std::uint64_t> ids(std::size_t n) {
  std::vector<std::uint64_t> result(n);
  std::iota(result.begin(), result.end(), 0);
  return result;
}

class Simulation {
 public:
  /// @param durations  of the tasks, s
  Simulation(const std::vector<double>& durations, int n_ranks, double service)
      : durations_(durations),
        scheduler_(ids(durations.size()), n_ranks),
        service_(service),
        queues_(static_cast<std::size_t>(n_ranks)) {}

  void run() {
    hand_out();
    while (!events_.empty()) {
      const Event event = events_.top();
      events_.pop();
      now_ = event.time;
      handle(event);
    }
  }

  double makespan() const { return now_; }
  double coordinator_share() const { return busy_ / now_; }
  bool all_done() const { return scheduler_.finished() && scheduler_.not_done().empty(); }

 private:
  enum class Kind { task_arrives, task_ends, result_arrives, coordinator_is_free, recall_arrives };
  struct Event {
    double time;
    Kind kind;
    int rank = 0;
    std::uint64_t task = 0;
    bool operator>(const Event& other) const { return time > other.time; }
  };

  std::vector<std::uint64_t>& queue_of(int rank) { return queues_[static_cast<std::size_t>(rank)]; }

  void handle(const Event& event) {
    switch (event.kind) {
      case Kind::task_arrives:
        queue_of(event.rank).push_back(event.task);
        if (queue_of(event.rank).size() == 1) begin(event.rank);
        return;
      case Kind::task_ends:
        queue_of(event.rank).erase(queue_of(event.rank).begin());
        if (!queue_of(event.rank).empty()) begin(event.rank);
        events_.push({now_ + latency, Kind::result_arrives, event.rank, event.task});
        return;
      case Kind::result_arrives:
        inbox_.push_back(event);
        if (inbox_.size() == 1) events_.push({now_, Kind::coordinator_is_free});
        return;
      case Kind::coordinator_is_free:
        take_result();
        return;
      case Kind::recall_arrives:
        give_back(event);
        return;
    }
  }

  void begin(int rank) {
    const std::uint64_t task = queue_of(rank).front();
    events_.push({now_ + durations_[task], Kind::task_ends, rank, task});
  }

  /// One after the other; the next task goes out first, the rest of the work for a result follows. A result
  /// stays in the inbox until that is done.
  void take_result() {
    if (is_serving_) inbox_.pop_front();
    is_serving_ = !inbox_.empty();
    if (!is_serving_) return;
    scheduler_.ended(inbox_.front().rank, inbox_.front().task, Scheduler::End::done);
    hand_out();
    busy_ += service_;
    events_.push({now_ + service_, Kind::coordinator_is_free});
  }

  void give_back(const Event& event) {
    auto& queue = queue_of(event.rank);
    if (queue.size() < 2 || queue.back() != event.task) return;
    queue.pop_back();
    scheduler_.ended(event.rank, event.task, Scheduler::End::returned);
    hand_out();
  }

  void hand_out() {
    while (const auto given = scheduler_.next())
      events_.push({now_ + latency, Kind::task_arrives, given->rank, given->task});
    while (const auto back = scheduler_.next_recall())
      events_.push({now_ + 2 * latency, Kind::recall_arrives, back->rank, back->task});
  }

  const std::vector<double>& durations_;
  Scheduler scheduler_;
  double service_;
  std::vector<std::vector<std::uint64_t>> queues_;  // by rank: at work and in advance
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  std::deque<Event> inbox_;
  bool is_serving_ = false;
  double now_ = 0, busy_ = 0;
};

void simulate(const std::vector<double>& measured, double service, int n_ranks, int starts_a_rank) {
  std::vector<double> durations;
  kinetune::core::RandomStream random(1, static_cast<std::uint64_t>(n_ranks));
  for (int i = 0; i < n_ranks * starts_a_rank; ++i)
    durations.push_back(measured[random.below(measured.size())]);
  const double work = std::accumulate(durations.begin(), durations.end(), 0.0);
  const double shortest = std::max(work / n_ranks, std::ranges::max(durations));

  Simulation simulation(durations, n_ranks, service);
  simulation.run();
  if (!simulation.all_done()) fmt::print("tasks were lost\n");
  fmt::print("{:>6} {:>14} {:>10.1f} {:>10.1f} {:>12.1f}\n", n_ranks, starts_a_rank,
             100 * work / (n_ranks * simulation.makespan()), 100 * work / (n_ranks * shortest),
             100 * simulation.coordinator_share());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    fmt::print(stderr, "simulate_schedule DURATIONS SERVICE\n");
    return 2;
  }
  std::ifstream file(argv[1]);
  const std::vector<double> measured{std::istream_iterator<double>(file), {}};
  const double service = std::atof(argv[2]);
  if (measured.empty() || !(service > 0)) {
    fmt::print(stderr, "{}: no durations, or {}: no seconds\n", argv[1], argv[2]);
    return 2;
  }
  fmt::print("{} durations, mean {:.3g} s, longest {:.3g} s; {:.3g} s for a result\n", measured.size(),
             std::accumulate(measured.begin(), measured.end(), 0.0) / static_cast<double>(measured.size()),
             std::ranges::max(measured), service);
  fmt::print("{:>6} {:>14} {:>10} {:>10} {:>12}\n", "ranks", "starts a rank", "work %", "at most %",
             "coordinator %");
  for (const int n_ranks : {64, 1024, 4096})
    for (const int starts_a_rank : {1, 5, 20, 100}) simulate(measured, service, n_ranks, starts_a_rank);
}
