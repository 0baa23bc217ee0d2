#include "peer/cli/shared/run_program.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <new>
#include <stdexcept>

namespace zpost::cli {
namespace {

using testing::HasSubstr;

TEST(RunProgramTest, TheExitCodeIsTheBodys) {
  EXPECT_EQ(run_program([] { return ExitCode::kTimedOut; }), 6);
}

TEST(RunProgramTest, WhatIsThrownIsSaidInOneLineAndIsAFailure) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(run_program([]() -> ExitCode { throw std::runtime_error("no\nluck"); }), 1);
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr(": no\\nluck\n"));
  testing::internal::CaptureStderr();
  EXPECT_EQ(run_program([]() -> ExitCode { throw std::bad_alloc(); }), 1);
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr(": out of memory\n"));
}

/// For a process of its own. The exit code: what is wrong.
[[noreturn]] void check_closed_descriptors() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::close(descriptor);
  hold_standard_descriptors();
  char byte = 0;
  const int next = ::dup(STDERR_FILENO);
  if (next <= STDERR_FILENO) std::_Exit(1);
  if (::read(STDIN_FILENO, &byte, 1) >= 0 || errno != EBADF) std::_Exit(2);
  if (::write(STDOUT_FILENO, &byte, 1) >= 0 || errno != EBADF) std::_Exit(3);
  std::_Exit(0);
}

TEST(RunProgramTest, ClosedStandardDescriptorsAreHeldAndStillFail) {
  EXPECT_EXIT(check_closed_descriptors(), testing::ExitedWithCode(0), "");
}

TEST(RunProgramTest, OpenStandardDescriptorsStay) {
  const int flags = ::fcntl(STDOUT_FILENO, F_GETFL);
  hold_standard_descriptors();
  EXPECT_EQ(::fcntl(STDOUT_FILENO, F_GETFL), flags);
}

}  // namespace
}  // namespace zpost::cli
