#pragma once

#include <cassert>

namespace kinetune::parallel {

/// Ranks divided into teams of neighbours, as even as can be; a team does one task at a time. Its first rank
/// leads it: takes the task and delivers the result. Rank 0 leads team 0.
class Teams {
 public:
  Teams(int n_ranks, int n_teams) : n_ranks_(n_ranks), n_teams_(n_teams) {
    assert(1 <= n_teams && n_teams <= n_ranks);
  }

  int size() const { return n_teams_; }
  int leader(int team) const { return (team * n_ranks_ + n_teams_ - 1) / n_teams_; }
  int team_of(int rank) const { return rank * n_teams_ / n_ranks_; }
  bool leads(int rank) const { return leader(team_of(rank)) == rank; }

 private:
  int n_ranks_, n_teams_;
};

}  // namespace kinetune::parallel
