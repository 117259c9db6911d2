#include <thread>

#include <gtest/gtest.h>

#include "parallel/mpi_session.hpp"
#include "parallel/session.hpp"

using namespace kinetune;
using parallel::Message;
using parallel::MpiSession;

namespace {

std::string pattern(std::size_t n, int salt) {
  std::string bytes(n, '\0');
  for (std::size_t i = 0; i < n; ++i)
    bytes[i] = static_cast<char>((i * 31 + i / 251 + static_cast<unsigned>(salt)) & 0xff);
  return bytes;
}

Message receive(parallel::Communicator& ranks) {
  while (true) {
    if (auto message = ranks.try_receive()) return *message;
    std::this_thread::yield();
  }
}

}  // namespace

TEST(MpiSession, broadcast_gives_all_ranks_the_bytes_of_rank_0_whatever_their_number) {
  MpiSession& session = test_session();
  for (const std::size_t n :
       {std::size_t{0}, std::size_t{1}, std::size_t{1} << 20, (std::size_t{5} << 20) + 3}) {
    const std::string expected = pattern(n, 1);
    EXPECT_EQ(session.broadcast(session.rank() == 0 ? expected : "something else"), expected) << n;
  }
}

TEST(MpiSession, long_and_short_messages_of_one_sender_arrive_whole_and_in_order) {
  MpiSession& session = test_session();
  const std::size_t sizes[] = {0, 10, (std::size_t{3} << 20) + 17, 5, (std::size_t{1} << 20) - 8, 1};
  if (session.rank() != 0) {
    for (int i = 0; i < 6; ++i) session.send(0, i, pattern(sizes[i], session.rank()));
  } else {
    std::vector<int> arrived(static_cast<std::size_t>(session.size()), 0);
    for (int k = 0; k < 6 * (session.size() - 1); ++k) {
      const Message message = receive(session);
      EXPECT_EQ(message.tag, arrived[static_cast<std::size_t>(message.from)]++);
      EXPECT_TRUE(message.bytes == pattern(sizes[message.tag], message.from));
    }
  }
  session.barrier();
}

TEST(Communicator, parts_of_the_ranks_talk_among_themselves) {
  MpiSession& session = test_session();
  const auto pair = session.split(session.rank() / 2);
  const bool has_neighbour = session.rank() / 2 * 2 + 1 < session.size();
  EXPECT_EQ(pair->size(), has_neighbour ? 2 : 1);
  EXPECT_EQ(pair->rank(), session.rank() % 2);
  const std::string first = "rank " + std::to_string(session.rank() / 2 * 2);
  EXPECT_EQ(pair->broadcast("rank " + std::to_string(session.rank())), first);
  if (pair->rank() == 1) pair->post(0, 3, std::to_string(session.rank()));
  if (pair->rank() == 0 && has_neighbour) {
    const Message message = receive(*pair);
    EXPECT_EQ(message.from, 1);
    EXPECT_EQ(message.bytes, std::to_string(session.rank() + 1));
  }
  EXPECT_FALSE(session.try_receive()) << "what is said in a part stays there";
  session.barrier();
}

TEST(MpiSession, what_rank_0_returns_is_the_verdict_everywhere) {
  MpiSession& session = test_session();
  const std::string verdict = share_verdict(session, [&] {
    EXPECT_EQ(session.rank(), 0);
    return std::string("fine\0 indeed", 12);
  });
  EXPECT_EQ(verdict, std::string("fine\0 indeed", 12));
}

TEST(MpiSession, an_error_on_rank_0_is_thrown_on_all_ranks_and_ends_them_with_code_2) {
  MpiSession& session = test_session();
  const int code = run_guarded(session, [&]() -> int {
    try {
      share_verdict(session, []() -> std::string {
        throw core::Error({"model.xml", 3}, "no such thing", "look again");
      });
    } catch (const parallel::SharedError& error) {
      EXPECT_STREQ(error.what(), "model.xml:3: no such thing; look again");
      throw;
    }
    return 0;
  });
  EXPECT_EQ(code, 2);
}

TEST(MpiSession, run_guarded_returns_the_code_of_the_body) {
  EXPECT_EQ(run_guarded(test_session(), [] { return 5; }), 5);
}
