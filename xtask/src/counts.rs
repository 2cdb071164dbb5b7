//! How many tests passed and failed, read from what each runner prints.

use std::ops::AddAssign;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl Counts {
    pub(crate) const ONE_PASSED: Self = Self { passed: 1, failed: 0 };
    pub(crate) const ONE_FAILED: Self = Self { passed: 0, failed: 1 };
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

/// Whose output it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Runner {
    /// Counts nothing: its exit status is one check.
    Check,
    CargoTest,
    /// As `CargoTest`, but having found no test is no failure.
    Doctests,
    Nextest,
    Node,
    /// Ends with our own `N passed, N failed`.
    Plain,
}

/// The tally of a runner that has ended. A runner that fails without naming a failed test, and one that ran
/// nothing at all, count as one failure: silence is not success.
pub(crate) fn tally(runner: Runner, exited_well: bool, lines: &[String]) -> Counts {
    let mut counts = Counts::default();
    for line in lines {
        counts += in_line(runner, &without_colours(line));
    }
    if runner == Runner::Check && exited_well {
        return Counts::ONE_PASSED;
    }
    let ran_nothing = counts == Counts::default() && runner != Runner::Doctests;
    if counts.failed == 0 && (!exited_well || ran_nothing) {
        counts.failed = 1;
    }
    counts
}

fn in_line(runner: Runner, line: &str) -> Counts {
    let line = line.trim();
    match runner {
        Runner::Check => Counts::default(),
        Runner::CargoTest | Runner::Doctests => in_cargo_test(line),
        Runner::Nextest => in_nextest(line),
        Runner::Node => in_node(line),
        Runner::Plain => in_plain(line),
    }
}

/// `test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.10s`
fn in_cargo_test(line: &str) -> Counts {
    let Some(rest) = line.strip_prefix("test result:") else {
        return Counts::default();
    };
    let rest = rest.split_once(". ").map_or(rest, |(_, numbers)| numbers);
    sum_of_parts(rest.split(';'))
}

/// `Summary [   3.210s] 12 tests run: 9 passed (1 slow), 1 failed, 2 timed out, 4 skipped`
fn in_nextest(line: &str) -> Counts {
    if !line.starts_with("Summary [") {
        return Counts::default();
    }
    let Some((_, rest)) = line.split_once("run:") else {
        return Counts::default();
    };
    sum_of_parts(rest.split([',', '(', ')']))
}

/// `ℹ pass 5` in its spec reporter, `# pass 5` in its TAP one.
fn in_node(line: &str) -> Counts {
    let Some(rest) = line.strip_prefix("ℹ ").or_else(|| line.strip_prefix("# ")) else {
        return Counts::default();
    };
    let Some((word, number)) = rest.split_once(' ') else {
        return Counts::default();
    };
    let Ok(number) = number.trim().parse() else {
        return Counts::default();
    };
    match word {
        "pass" => Counts { passed: number, failed: 0 },
        "fail" | "cancelled" => Counts { passed: 0, failed: number },
        _ => Counts::default(),
    }
}

/// `5 passed, 0 failed`, alone on its line.
fn in_plain(line: &str) -> Counts {
    let parts: Vec<&str> = line.split(',').collect();
    let [passed, failed] = parts.as_slice() else {
        return Counts::default();
    };
    if !passed.ends_with(" passed") || !failed.ends_with(" failed") {
        return Counts::default();
    }
    sum_of_parts(parts.into_iter())
}

fn sum_of_parts<'a>(parts: impl Iterator<Item = &'a str>) -> Counts {
    let mut counts = Counts::default();
    for part in parts {
        let Some((number, word)) = part.trim().split_once(' ') else {
            continue;
        };
        let Ok(number) = number.parse::<u64>() else {
            continue;
        };
        match word.trim() {
            "passed" => counts.passed += number,
            "failed" | "exec failed" | "timed out" => counts.failed += number,
            _ => {}
        }
    }
    counts
}

/// Drops the escape sequences that colour a terminal.
fn without_colours(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        if character == '\u{1b}' {
            characters.by_ref().find(char::is_ascii_alphabetic);
        } else {
            plain.push(character);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn every_binary_of_cargo_test_is_added_up() {
        let output = lines(
            "running 2 tests\n\
             test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.10s\n\
             test result: FAILED. 7 passed; 2 failed; 0 ignored; 0 measured; 3 filtered out; finished in 1.00s\n\
             error: 1 target failed:",
        );
        assert_eq!(tally(Runner::CargoTest, false, &output), Counts { passed: 12, failed: 2 });
    }

    #[test]
    fn the_summary_of_nextest_counts_time_outs_as_failures_and_slow_ones_once() {
        let output = lines(
            "     Summary [   3.210s] 13 tests run: 9 passed (1 slow, 2 leaky), 1 failed, 1 exec failed, \
             2 timed out, 4 skipped\n        FAIL [   0.010s] domain money::cents",
        );
        assert_eq!(tally(Runner::Nextest, false, &output), Counts { passed: 9, failed: 4 });
    }

    #[test]
    fn a_coloured_summary_reads_as_a_plain_one() {
        let output = lines(
            "\u{1b}[32;1m     Summary\u{1b}[0m [   0.010s] \u{1b}[1m2\u{1b}[0m tests run: 2 passed, 0 skipped",
        );
        assert_eq!(tally(Runner::Nextest, true, &output), Counts { passed: 2, failed: 0 });
    }

    #[test]
    fn an_interrupted_nextest_run_with_fewer_tests_than_planned_is_read_too() {
        let output = lines("     Summary [   0.010s] 2/12 tests run: 1 passed, 1 failed, 0 skipped");
        assert_eq!(tally(Runner::Nextest, false, &output), Counts { passed: 1, failed: 1 });
    }

    #[test]
    fn both_reporters_of_node_are_read_and_a_cancelled_test_has_failed() {
        let spec = lines("ℹ tests 6\nℹ suites 0\nℹ pass 4\nℹ fail 1\nℹ cancelled 1\nℹ skipped 0");
        let tap = lines("# tests 4\n# pass 4\n# fail 0\n# cancelled 0");
        assert_eq!(tally(Runner::Node, false, &spec), Counts { passed: 4, failed: 2 });
        assert_eq!(tally(Runner::Node, true, &tap), Counts { passed: 4, failed: 0 });
    }

    #[test]
    fn a_plain_closing_line_counts_only_when_it_stands_alone() {
        let output =
            lines("we hope for 9 passed, 9 failed here\n41 passed, 1 failed\n3 passed, 0 failed, maybe");
        assert_eq!(tally(Runner::Plain, false, &output), Counts { passed: 41, failed: 1 });
    }

    #[test]
    fn a_runner_that_dies_without_a_word_is_one_failure() {
        for runner in [Runner::Check, Runner::CargoTest, Runner::Doctests, Runner::Nextest, Runner::Node] {
            assert_eq!(tally(runner, false, &[]), Counts::ONE_FAILED, "{runner:?}");
        }
    }

    #[test]
    fn a_runner_that_ran_nothing_has_failed_unless_it_runs_doctests() {
        let nothing = lines("test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out");
        assert_eq!(tally(Runner::CargoTest, true, &nothing), Counts::ONE_FAILED);
        assert_eq!(tally(Runner::Nextest, true, &[]), Counts::ONE_FAILED);
        assert_eq!(tally(Runner::Plain, true, &[]), Counts::ONE_FAILED);
        assert_eq!(tally(Runner::Doctests, true, &nothing), Counts::default());
    }

    #[test]
    fn passing_tests_and_a_bad_exit_status_are_still_a_failure() {
        let output = lines("test result: ok. 5 passed; 0 failed; 0 ignored");
        assert_eq!(tally(Runner::CargoTest, false, &output), Counts { passed: 5, failed: 1 });
    }

    #[test]
    fn a_check_that_exits_well_is_one_pass() {
        assert_eq!(tally(Runner::Check, true, &[]), Counts::ONE_PASSED);
    }
}
