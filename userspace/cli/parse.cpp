// SPDX-License-Identifier: Apache-2.0
#include "cli/parse.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <optional>

#include "cli/version.hpp"
#include "cli/word_wrap.hpp"

namespace callscope::cli {
namespace {

// Levenshtein distance, for "did you mean".
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replace = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replace});
    }
  }
  return row[b.size()];
}

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  std::string best;
  std::size_t distance = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    // A word cut short, or written out where we have it short: --dur, --frequency.
    constexpr std::size_t kShortest = 4;
    const std::size_t common = std::min(word.size(), candidate.size());
    const bool prefix =
        common >= kShortest && word.substr(0, common) == candidate.substr(0, common);
    const std::size_t d = prefix ? 1 : edit_distance(word, candidate);
    if (d < distance) {
      distance = d;
      best = candidate;
    }
  }
  return best;
}

std::vector<std::string> option_names(const Command& command) {
  std::vector<std::string> names{"--help"};
  for (const Option& option : command.options) {
    std::string_view rest = option.names;
    while (!rest.empty()) {
      const std::size_t comma = rest.find(',');
      names.emplace_back(rest.substr(0, comma));
      rest = comma == rest.npos ? "" : rest.substr(comma + 1);
    }
  }
  return names;
}

std::unexpected<Error> usage(std::string what, const Command& command,
                             const std::string& suggestion = {}) {
  std::string hint = suggestion.empty() ? "" : "did you mean " + suggestion + "? ";
  hint += "see 'callscope " + command.name + " --help'";
  return fail(ErrorCode::kUsage, std::move(what), std::move(hint));
}

// What CLI11 found wrong, in our words.
std::unexpected<Error> explain(const CLI::ParseError& error, const CLI::App& app,
                               const Command& command) {
  const std::vector<std::string> extra = app.remaining();
  if (!extra.empty()) {
    const bool option = extra.front().starts_with('-');
    return usage(
        fmt::format("{} '{}'", option ? "unknown option" : "unexpected argument", extra.front()),
        command, option ? nearest(extra.front(), option_names(command)) : "");
  }
  // "--pid: 1 required TEXT missing"; too many values cannot happen, see add_options.
  const std::string_view text = error.what();
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr)
    return usage(fmt::format("{} needs a value", text.substr(0, text.find(':'))), command);
  return usage(error.what(), command);
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

// Adds the option table to CLI11. The first refused value is left in failure.
void add_options(CLI::App& app, const Command& command, std::optional<Error>& failure) {
  for (const Option& option : command.options) {
    const auto apply = [&option, &failure](std::string_view value) {
      Result<void> result = option.set(value);
      if (result || failure) return;
      failure = result.error();
      if (failure->code == ErrorCode::kUsage) failure->what = option.names + ": " + failure->what;
    };
    if (option.value.empty() && option.names.starts_with('-')) {
      app.add_flag_function(option.names, [apply](std::int64_t) { apply(""); });
      continue;
    }
    CLI::Option* added = app.add_option_function<std::vector<std::string>>(
        option.names, [apply, &option, &failure](const std::vector<std::string>& values) {
          for (const std::string& value : values) apply(value);
          if (values.size() > 1 && !option.repeatable && !failure)
            failure = Error{ErrorCode::kUsage, option.names + " was given more than once", {}, 0};
        });
    const bool positional = !option.names.starts_with('-');
    added->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    // One word each time the option is there; a positional takes one, or all that are left.
    added->expected(1, positional && option.repeatable ? 1 << 20 : 1)
        ->allow_extra_args(positional && option.repeatable);
    if (option.required) added->required();
  }
}

// "--callers" of an option whose value may be left out becomes "--callers=*".
void complete_bare_options(const Command& command, std::vector<std::string>& arguments) {
  for (const Option& option : command.options) {
    if (option.bare_value.empty()) continue;
    for (std::string& argument : arguments) {
      if (argument == option.names) argument += "=" + option.bare_value;
    }
  }
}

Result<ParsedLine> parse_command(const Command& command, std::vector<std::string> arguments,
                                 std::vector<std::string> program) {
  std::optional<Error> failure;
  CLI::App app;
  app.set_help_flag();
  bool help = false;
  app.add_flag("-h,--help", help);
  add_options(app, command, failure);
  app.allow_extras(true);
  complete_bare_options(command, arguments);
  std::ranges::reverse(arguments);  // CLI11 takes them from the back
  try {
    app.parse(arguments);
  } catch (const CLI::ParseError& error) {
    if (help) return ParsedLine{nullptr, {}, help_text(command)};
    return explain(error, app, command);
  }
  if (help) return ParsedLine{nullptr, {}, help_text(command)};
  if (!app.remaining().empty()) return explain(CLI::ExtrasError({}), app, command);
  if (failure) {
    if (failure->code != ErrorCode::kUsage) return std::unexpected(*failure);
    return std::unexpected(std::move(*failure));
  }
  return ParsedLine{&command, std::move(program), {}};
}

}  // namespace

std::string help_text(std::span<const Command> commands) {
  std::string text = fmt::format(
      "callscope {}: which functions of a process are slow, and why\n\n"
      "usage: callscope COMMAND [OPTIONS]\n\ncommands:\n",
      kVersion);
  for (const Command& command : commands)
    text += fmt::format("  {:<11} {}\n", command.name, first_line(command.summary));
  text +=
      "\n'callscope COMMAND --help' explains a command. Exit codes: 0 ok, 2 usage, 3 not\n"
      "permitted or not supported by this kernel, 4 target not found, 5 incomplete data\n"
      "with --strict, 1 other failures.\n";
  return text;
}

std::string help_text(const Command& command) {
  std::string text = fmt::format("usage: callscope {}\n\n{}\n\n", command.usage,
                                 word_wrap(command.description, 80));
  if (!command.options.empty()) text += "options:\n";
  for (const Option& option : command.options) {
    const std::string head = "  " + option_head(option);
    text += fmt::format("{}\n{}\n", head, word_wrap(option.help, 80, "        "));
  }
  if (!command.examples.empty()) text += "\nexamples:\n";
  for (const std::string& example : command.examples) text += "  " + example + "\n";
  return text;
}

Result<ParsedLine> parse_line(std::span<const Command> commands,
                              std::vector<std::string> arguments) {
  if (arguments.empty())
    return fail(ErrorCode::kUsage, "no command given", "see 'callscope --help'");
  const std::string name = arguments.front();
  arguments.erase(arguments.begin());
  if (name == "--help" || name == "-h" || name == "help")
    return ParsedLine{nullptr, {}, help_text(commands)};
  if (name == "--version" || name == "-V")
    return ParsedLine{nullptr, {}, fmt::format("callscope {}\n", kVersion)};
  const auto command = std::ranges::find(commands, name, &Command::name);
  if (command == commands.end()) {
    std::vector<std::string> names;
    for (const Command& known : commands) names.push_back(known.name);
    const std::string suggestion = nearest(name, names);
    return fail(ErrorCode::kUsage, "unknown command '" + name + "'",
                (suggestion.empty() ? "" : "did you mean " + suggestion + "? ") +
                    std::string("see 'callscope --help'"));
  }
  std::vector<std::string> program;
  const auto dashes = std::ranges::find(arguments, "--");
  if (dashes != arguments.end()) {
    program.assign(dashes + 1, arguments.end());
    arguments.erase(dashes, arguments.end());
    if (!command->takes_command)
      return usage("'" + command->name + "' starts no program, so '--' has no place", *command);
    if (program.empty()) return usage("no program behind '--'", *command);
  }
  return parse_command(*command, std::move(arguments), std::move(program));
}

}  // namespace callscope::cli
