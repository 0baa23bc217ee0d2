#include "peer/cli/shared/usage_errors.h"

#include <gmock/gmock.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "peer/cli/shared/options.h"

namespace zpost::cli {
namespace {

using testing::HasSubstr;

/// A program with two verbs, and what it says to wrong command lines.
class UsageErrorsTest : public testing::Test {
 protected:
  UsageErrorsTest() {
    app_.require_subcommand(1);
    CLI::App* const send = app_.add_subcommand("send", "Send");
    send->add_option("TO", to_, "Who is to get it")->required();
    CLI::Option* const lines = send->add_flag("--lines", lines_, "Each line");
    send->add_flag("--skip-empty", skips_empty_, "None that are empty")->needs(lines);
    add_format_option(*send, common_);
    CLI::Option* const raw = send->add_flag("--raw", raw_, "As it is");
    raw->excludes(send->get_option("--format"));
    add_count_option(*send, "--count", count_, "End after so many");
    send->add_option("--between", between_, "Two")->expected(2)->option_text("A B");
    app_.add_subcommand("recv", "Receive");
    CLI::App* const serve = app_.add_subcommand("serve", "Serve");
    serve->add_option("COMMAND", command_, "What to run")->required();
  }

  std::string said_to(std::vector<std::string> words) {
    std::ranges::reverse(words);
    try {
      app_.parse(words);
    } catch (const CLI::ParseError& error) {
      return usage_text(app_, error);
    }
    return "";
  }

  CLI::App app_{"A program", "program"};
  CommonOptions common_;
  std::string to_;
  std::uint64_t count_ = 0;
  bool lines_ = false;
  bool skips_empty_ = false;
  bool raw_ = false;
  std::vector<std::string> between_;
  std::vector<std::string> command_;
};

TEST_F(UsageErrorsTest, AnErrorOfSeveralLinesKeepsThem) {
  CLI::App* const verb = app_.add_subcommand("tail", "Tail");
  verb->add_option_function<std::string>("--filter", [](const std::string& text) {
    throw CLI::ValidationError("--filter", "it is wrong at column 1\n  " + text + "\n  ^");
  });
  EXPECT_EQ(said_to({"tail", "--filter", "frm \x1b[1m"}),
            "tail: --filter: it is wrong at column 1\n    frm \\e[1m\n    ^");
}

TEST_F(UsageErrorsTest, AnUnknownOptionIsNamedWithWhatWasMeant) {
  EXPECT_EQ(said_to({"send", "bob", "--line"}),
            "send: there is no option --line; did you mean --lines?");
  EXPECT_EQ(said_to({"send", "bob", "--lins=5"}),
            "send: there is no option --lins; did you mean --lines?");
  EXPECT_EQ(said_to({"send", "bob", "--purple"}), "send: there is no option --purple");
}

TEST_F(UsageErrorsTest, AnUnknownOptionIsTheCauseOfWhatElseIsWrong) {
  EXPECT_EQ(said_to({"send", "--fromat"}),
            "send: there is no option --fromat; did you mean --format?");
  EXPECT_EQ(said_to({"send", "--cont", "5", "bob"}),
            "send: there is no option --cont; did you mean --count?");
}

TEST_F(UsageErrorsTest, AnOptionOfTheCommandBelongsBehindTheDashes) {
  EXPECT_EQ(said_to({"serve", "tr", "-d", "x"}),
            "serve: there is no option -d; a command and its options come after --");
}

TEST_F(UsageErrorsTest, WhatIsTooMuchIsShown) {
  EXPECT_EQ(said_to({"send", "bob", "hello", "world"}),
            "send: \"hello\" \"world\" are too much; what has spaces in it wants quotes");
  EXPECT_EQ(said_to({"recv", "bob"}),
            "recv: \"bob\" is too much; there are only options, --as for your own name");
}

TEST_F(UsageErrorsTest, WhatIsMissingIsExplained) {
  EXPECT_EQ(said_to({"send"}), "send: TO is missing: Who is to get it");
  EXPECT_EQ(said_to({"send", "bob", "--count"}), "send: --count needs a value: N");
  EXPECT_EQ(said_to({}), "a subcommand is missing, one of send, recv, serve");
}

TEST_F(UsageErrorsTest, AWrongValueIsShownWithWhatIsAllowed) {
  EXPECT_EQ(said_to({"send", "bob", "--format", "jsno"}),
            "send: --format: \"jsno\" is none of text, json; did you mean json?");
  EXPECT_EQ(said_to({"send", "bob", "--count", "many"}),
            "send: --count: \"many\" is not a whole number of at least 1, such as 10");
}

TEST_F(UsageErrorsTest, OptionsThatDoNotGoTogetherAreBothNamed) {
  EXPECT_EQ(said_to({"send", "bob", "--raw", "--format", "json"}),
            "send: --format and --raw exclude each other");
  EXPECT_EQ(said_to({"send", "bob", "--skip-empty"}), "send: --skip-empty is only for --lines");
}

TEST_F(UsageErrorsTest, AnOptionThatIsGivenTwiceIsNamed) {
  EXPECT_EQ(said_to({"send", "bob", "--count", "1", "--count", "2"}),
            "send: --count is given 2 times, once is all it takes");
}

TEST_F(UsageErrorsTest, AnOptionWithTooFewValuesSaysHowMany) {
  EXPECT_EQ(said_to({"send", "bob", "--between", "a"}),
            "send: --between needs 2 values, not 1: A B");
}

TEST_F(UsageErrorsTest, TheHelpOfTheVerbIsPointedAt) {
  EXPECT_THAT(said_to({"send"}), HasSubstr("TO"));
  EXPECT_EQ(help_hint(app_), "program send --help says what send takes");
}

TEST_F(UsageErrorsTest, WithoutAVerbTheListOfVerbsIsPointedAt) {
  EXPECT_THAT(said_to({}), HasSubstr("subcommand"));
  EXPECT_EQ(help_hint(app_), "program --help lists the verbs");
}

TEST_F(UsageErrorsTest, AnUnknownVerbIsNamedWithWhatWasMeant) {
  EXPECT_EQ(unknown_verb_text(app_, "sned"), "there is no verb sned; did you mean send?");
  EXPECT_EQ(unknown_verb_text(app_, "sh\nout"), "there is no verb sh\\nout");
}

}  // namespace
}  // namespace zpost::cli
