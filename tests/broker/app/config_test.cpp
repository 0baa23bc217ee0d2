#include "broker/app/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace zpost::app {
namespace {

using testing::HasSubstr;

std::string error_of(std::string_view text) {
  const auto config = parse_config(text, "broker.toml");
  return config ? "no error" : config.error().text;
}

std::string sample() {
  std::ifstream file(ZPOST_DOCS_DIR "/zpost-broker.toml");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(ConfigTest, AnEmptyFileIsTheDefaults) {
  const auto config = parse_config("", "broker.toml");
  ASSERT_TRUE(config.has_value());
  EXPECT_EQ(format_config(*config), format_config(Config{}));
}

TEST(ConfigTest, ValuesAreReadWithTheirUnits) {
  const auto config = parse_config(R"(
[broker]
listen = ["tcp://127.0.0.1:5000", "ipc:///tmp/zpost"]
name = "lab"
[limits]
memory = "512MiB"
peers = 7
[session]
silence = "1m"
newest_wins = true
)",
                                   "broker.toml");
  ASSERT_TRUE(config.has_value()) << config.error().text;
  EXPECT_EQ(config->listen.size(), 2u);
  EXPECT_EQ(config->name, "lab");
  EXPECT_EQ(config->limits.memory, std::uint64_t{512} << 20);
  EXPECT_EQ(config->limits.peers, 7u);
  EXPECT_EQ(config->limits.silence_ns, 60 * core::kSecond);
  EXPECT_TRUE(config->limits.newest_wins);
}

TEST(ConfigTest, OneEndpointNeedsNoList) {
  const auto config = parse_config("[broker]\nlisten = \"ipc:///tmp/zpost\"\n", "broker.toml");
  ASSERT_TRUE(config.has_value()) << config.error().text;
  EXPECT_EQ(config->listen, std::vector<std::string>{"ipc:///tmp/zpost"});
}

TEST(ConfigTest, AnUnknownKeyIsAnErrorWithItsLineAndTheNearestKey) {
  EXPECT_EQ(error_of("[limits]\n\nmemroy = \"1GiB\"\n"),
            "broker.toml:3: unknown key limits.memroy: did you mean limits.memory?");
  EXPECT_THAT(error_of("[limits]\nsilence = \"1s\"\n"), HasSubstr("session.silence"));
  EXPECT_THAT(error_of("[sesion]\nresume = \"1s\"\n"), HasSubstr("session.resume"));
  EXPECT_THAT(error_of("[recorder]\nmemroy = \"1GiB\"\n"),
              HasSubstr("did you mean recorder.memory?"));
  EXPECT_THAT(error_of("memory = \"1GiB\"\n"), HasSubstr("limits.memory"));
}

TEST(ConfigTest, ABadValueNamesKeyValueAndRange) {
  EXPECT_EQ(
      error_of("[limits]\nmemory = \"2 parsecs\"\n"),
      "broker.toml:2: limits.memory = \"2 parsecs\" is wrong: a size is a whole number with a "
      "unit, such as 64KiB or 1GiB, from 16MiB to 4TiB");
  EXPECT_THAT(error_of("[limits]\npeers = 0\n"),
              HasSubstr("limits.peers = 0 is out of range: must be from 1 to 1000000"));
  EXPECT_THAT(error_of("[limits]\npeers = -1\n"), HasSubstr("from 1 to 1000000"));
  EXPECT_THAT(error_of("[session]\nsilence = 20\n"), HasSubstr("such as 500ms"));
  EXPECT_THAT(error_of("[log]\nlevel = \"loud\"\n"), HasSubstr("debug, info"));
  EXPECT_THAT(error_of("[broker]\ninsecure = \"yes\"\n"), HasSubstr("must be like false"));
  EXPECT_THAT(error_of("[broker]\nname = 5\n"), HasSubstr("must be like \"zpost\""));
  EXPECT_THAT(error_of("[broker]\nlisten = [1]\n"), HasSubstr("list of texts"));
}

TEST(ConfigTest, WarnIsWarning) {
  const auto config = parse_config("[log]\nlevel = \"warn\"\n", "broker.toml");
  ASSERT_TRUE(config.has_value()) << config.error().text;
  EXPECT_EQ(config->log_level, "warning");
}

TEST(ConfigTest, ABrokersNameThatIsTooLongIsNamed) {
  Config config;
  config.name = std::string(65, 'n');
  const auto refused = check_config(config);
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().text,
              HasSubstr("broker.name = \"" + config.name + "\" has 65 bytes"));
}

TEST(ConfigTest, BadTomlIsAnErrorWithItsLine) {
  EXPECT_THAT(error_of("[limits]\nmemory = \n"), HasSubstr("broker.toml:2:"));
}

TEST(ConfigTest, WhatIsFormattedReadsBackTheSame) {
  Config config;
  config.listen = {"tcp://127.0.0.1:*", "ipc:///tmp/a\\b"};
  config.limits.memory = 123'456'789;
  config.limits.receipt_ns = 1'500;
  config.insecure = true;
  const std::string text = format_config(config);
  const auto again = parse_config(text, "broker.toml");
  ASSERT_TRUE(again.has_value()) << again.error().text;
  EXPECT_EQ(format_config(*again), text);
}

TEST(ConfigTest, OthersMachinesAreRefusedUnlessInsecure) {
  Config config;
  config.listen = {"tcp://0.0.0.0:1234"};
  const auto refused = check_config(config);
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().text, HasSubstr("tcp://0.0.0.0:1234"));
  EXPECT_THAT(refused.error().text, HasSubstr("--insecure"));
  config.insecure = true;
  EXPECT_TRUE(check_config(config).has_value());
}

TEST(ConfigTest, MetricsAreForThisMachineUnlessInsecure) {
  Config config;
  for (const char* const good : {"", "auto", "127.0.0.1:9000", "[::1]:*"}) {
    config.admin_listen = good;
    EXPECT_TRUE(check_config(config).has_value()) << good;
  }
  config.admin_listen = "0.0.0.0:9000";
  const auto refused = check_config(config);
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().text, HasSubstr("0.0.0.0:9000"));
  EXPECT_THAT(refused.error().text, HasSubstr("--insecure"));
  config.insecure = true;
  EXPECT_TRUE(check_config(config).has_value());
}

TEST(ConfigTest, AnAdminAddressThatIsNoneIsNamed) {
  Config config;
  config.admin_listen = "nowhere";
  const auto refused = check_config(config);
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().text, HasSubstr("admin.listen \"nowhere\""));
}

TEST(ConfigTest, ValuesThatExcludeEachOtherAreRefused) {
  Config config;
  config.limits.silence_ns = config.limits.heartbeat_ns;
  EXPECT_FALSE(check_config(config).has_value());
  config = {};
  config.limits.credit_initial = config.limits.credit_max + 1;
  EXPECT_FALSE(check_config(config).has_value());
  config = {};
  config.listen = {"udp://127.0.0.1:1"};
  EXPECT_FALSE(check_config(config).has_value());
  EXPECT_TRUE(check_config(Config{}).has_value());
}

TEST(ConfigTest, TheSampleIsTheDefaultsAndNamesEveryKey) {
  const std::string text = sample();
  const auto config = parse_config(text, "zpost-broker.toml");
  ASSERT_TRUE(config.has_value()) << config.error().text;
  EXPECT_EQ(format_config(*config), format_config(Config{}));
  for (const Setting& setting : settings()) {
    EXPECT_THAT(text, HasSubstr("\n" + std::string(setting.key) + " = ")) << setting.path();
  }
}

TEST(ConfigTest, DefaultsAreWithinTheirRanges) {
  Config config;
  for (const Setting& setting : settings()) {
    if (std::holds_alternative<Setting::Texts>(setting.field)) continue;
    std::string text = value_as_toml(setting, config);
    if (text.front() == '"') text = text.substr(1, text.size() - 2);
    const auto result = set_from_text(setting, text, config);
    EXPECT_TRUE(result.has_value()) << setting.path() << ": " << result.error().text;
  }
}

}  // namespace
}  // namespace zpost::app
