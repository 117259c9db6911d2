#include <vector>

#include <gtest/gtest.h>

#include "parallel/teams.hpp"

using kinetune::parallel::Teams;

TEST(Teams, are_neighbours_of_even_number_that_their_first_rank_leads) {
  for (int n_ranks = 1; n_ranks <= 12; ++n_ranks) {
    for (int n_teams = 1; n_teams <= n_ranks; ++n_teams) {
      const Teams teams(n_ranks, n_teams);
      std::vector<int> sizes(static_cast<std::size_t>(n_teams));
      int last = 0;
      for (int rank = 0; rank < n_ranks; ++rank) {
        const int team = teams.team_of(rank);
        const bool is_first = sizes[static_cast<std::size_t>(team)]++ == 0;
        EXPECT_TRUE(team == last || team == last + 1);
        EXPECT_EQ(teams.leads(rank), is_first);
        if (is_first) {
          EXPECT_EQ(teams.leader(team), rank);
        }
        last = team;
      }
      for (const int size : sizes) {
        EXPECT_GE(size, n_ranks / n_teams);
        EXPECT_LE(size, (n_ranks + n_teams - 1) / n_teams);
      }
    }
  }
}
