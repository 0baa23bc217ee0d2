#include "peer/cli/shared/command.h"

#include <gmock/gmock.h>

#include <csignal>

namespace zpost::cli {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using testing::HasSubstr;

/// Runs it to its end, as serve does.
CommandEnd run(CommandSpec spec) {
  Result<Command> command = Command::start(std::move(spec));
  EXPECT_TRUE(command.has_value());
  for (;;) {
    if (auto end = command->advance(Clock::now())) return *std::move(end);
    std::vector<pollfd> descriptors;
    command->add_descriptors(descriptors);
    (void)::poll(descriptors.data(), descriptors.size(), 10);
  }
}

CommandSpec shell(const std::string& script) {
  return {
      .arguments = {"sh", "-c", script}, .environment = {}, .input = "", .output_limit = 1 << 20};
}

TEST(CommandTest, InputGoesInAndOutputComesOut) {
  CommandSpec spec = shell("cat");
  spec.input = std::string(1 << 20, 'x');
  const CommandEnd end = run(spec);
  EXPECT_TRUE(end.succeeded());
  EXPECT_EQ(end.output, spec.input);
}

TEST(CommandTest, EnvironmentIsAddedToOurs) {
  CommandSpec spec = shell("printf %s \"$ZPOST_FROM ${PATH:+path}\"");
  spec.environment = {"ZPOST_FROM=bob"};
  EXPECT_EQ(run(std::move(spec)).output, "bob path");
}

TEST(CommandTest, AFailureNamesStatusAndLastWords) {
  const CommandEnd end = run(shell("echo first >&2; echo last >&2; exit 7"));
  EXPECT_FALSE(end.succeeded());
  EXPECT_EQ(rejection_text("sh", end), "sh exited with status 7: last");
}

TEST(CommandTest, ASignalIsNamed) {
  const CommandEnd end = run(shell("kill -9 $$"));
  EXPECT_EQ(end.kind, CommandEnd::Kind::kSignalled);
  EXPECT_THAT(rejection_text("sh", end), HasSubstr("signal 9"));
}

TEST(CommandTest, AnEndThatNobodyKnowsIsNoSuccess) {
  (void)std::signal(SIGCHLD, SIG_IGN);  // The kernel throws exit statuses away.
  const CommandEnd end = run(shell("exit 0"));
  (void)std::signal(SIGCHLD, SIG_DFL);
  EXPECT_EQ(end.kind, CommandEnd::Kind::kUnknown);
  EXPECT_FALSE(end.succeeded());
  EXPECT_EQ(rejection_text("sh", end), "sh ended, nobody knows how");
}

TEST(CommandTest, TooMuchOutputEndsIt) {
  CommandSpec spec = shell("yes");
  spec.output_limit = 1000;
  const CommandEnd end = run(std::move(spec));
  EXPECT_EQ(end.kind, CommandEnd::Kind::kTooMuchOutput);
}

TEST(CommandTest, TooMuchTimeEndsItAlsoWhenItIgnoresSigterm) {
  CommandSpec spec = shell("trap '' TERM; while :; do sleep 0.05; done");
  spec.deadline = Clock::now() + milliseconds(50);
  EXPECT_EQ(run(std::move(spec)).kind, CommandEnd::Kind::kTimedOut);
}

TEST(CommandTest, WhatDoesNotExistIsAnError) {
  CommandSpec spec = shell("");
  spec.arguments = {"/does/not/exist"};
  const Result<Command> command = Command::start(std::move(spec));
  ASSERT_FALSE(command.has_value());
  EXPECT_THAT(command.error().text, HasSubstr("/does/not/exist"));
}

TEST(CommandTest, ProgramsAreFoundInPath) {
  EXPECT_TRUE(find_program("sh").has_value());
  EXPECT_FALSE(find_program("no-such-program-here").has_value());
  EXPECT_FALSE(find_program("").has_value());
}

}  // namespace
}  // namespace zpost::cli
