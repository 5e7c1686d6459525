//! Whether somebody means it.

use std::io::{self, BufRead, IsTerminal as _, Write};

use super::{Ended, failed, usage};

/// What a command that cannot be undone needs.
#[derive(Debug)]
pub(super) enum Consent {
    /// It was given on the command line.
    Given,
    /// There is somebody to ask.
    ToAsk,
}

impl Consent {
    /// What `--yes` says, or a terminal allows.
    ///
    /// # Errors
    ///
    /// Neither: nobody can be asked.
    pub(super) fn of(yes: bool) -> Result<Self, Ended> {
        let somebody = io::stdin().is_terminal() && io::stderr().is_terminal();
        match (yes, somebody) {
            (true, _) => Ok(Self::Given),
            (false, true) => Ok(Self::ToAsk),
            (false, false) => {
                Err(usage("this cannot be undone, and there is no terminal to ask on: say --yes"))
            }
        }
    }

    /// Asks, unless it is given.
    ///
    /// # Errors
    ///
    /// The answer is not yes.
    pub(super) fn ask(&self, question: &str) -> Result<(), Ended> {
        match self {
            Self::Given => Ok(()),
            Self::ToAsk => ask(question, io::stdin().lock(), io::stderr().lock()),
        }
    }
}

fn ask(question: &str, mut input: impl BufRead, mut output: impl Write) -> Result<(), Ended> {
    write!(output, "{question} [y/N] ").and_then(|()| output.flush()).map_err(failed)?;
    let mut answer = String::new();
    input.read_line(&mut answer).map_err(failed)?;
    match answer.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(failed("nothing was done: the answer was not yes")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(answer: &str) -> Result<(), Ended> {
        let mut asked = Vec::new();
        let result = ask("Drop it?", answer.as_bytes(), &mut asked);
        assert_eq!(asked, b"Drop it? [y/N] ");
        result
    }

    #[test]
    fn only_yes_is_yes() {
        for yes in ["y\n", "Y\n", " yes \n", "yes"] {
            answered(yes).unwrap();
        }
        for no in ["", "\n", "n\n", "no\n", "yess\n", "\ny\n"] {
            let (code, error) = answered(no).unwrap_err();
            assert_eq!(
                (code, error.to_string().as_str()),
                (1, "nothing was done: the answer was not yes")
            );
        }
    }

    #[test]
    fn what_is_given_is_not_asked_for() {
        Consent::of(true).unwrap().ask("Drop it?").unwrap();
    }
}
