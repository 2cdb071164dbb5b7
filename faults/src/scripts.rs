//! Which exchanges are harmed, and how.

use std::collections::BTreeMap;

use rand::Rng;
use rand::rngs::StdRng;

use crate::proxy::{Harm, Script};

/// Walks over every byte of request and answer: with enough exchanges each is the place of a cut.
pub(crate) struct Sweep {
    left: usize,
    turn: usize,
    stride: usize,
    request_at: usize,
    answer_at: usize,
    /// As long as the last that passed.
    request: usize,
    answer: usize,
    /// Bytes of an answer that must stay as they are: a status that is another one is not a broken wire.
    unbent: usize,
    pub(crate) done: BTreeMap<&'static str, usize>,
}

impl Sweep {
    /// Harms `count` exchanges at every `stride`th byte from `first` on.
    pub(crate) fn over(count: usize, first: usize, stride: usize, unbent: usize) -> Self {
        Self {
            left: count,
            turn: 0,
            stride,
            request_at: first,
            answer_at: first,
            request: 0,
            answer: 0,
            unbent,
            done: BTreeMap::new(),
        }
    }

    /// No more harm.
    pub(crate) fn end(&mut self) {
        self.left = 0;
    }

    pub(crate) fn left(&self) -> usize {
        self.left
    }

    fn request_cut(&mut self) -> Harm {
        let at = self.request_at % self.request;
        self.request_at += self.stride;
        Harm::CutRequest(at)
    }

    fn answer_at(&mut self) -> usize {
        let at = self.answer_at % self.answer;
        self.answer_at += self.stride;
        at
    }
}

impl Script for Sweep {
    fn next(&mut self) -> Harm {
        // The first exchange shows how long they are.
        if self.left == 0 || self.request == 0 || self.answer == 0 {
            return Harm::Nothing;
        }
        self.left -= 1;
        self.turn += 1;
        match self.turn % 16 {
            0 => Harm::SilentAnswer(self.answer_at()),
            4 if self.answer > self.unbent => {
                Harm::BendAnswer(self.unbent + self.answer_at() % (self.answer - self.unbent))
            }
            odd if odd % 2 == 1 => Harm::CutAnswer(self.answer_at()),
            _ => self.request_cut(),
        }
    }

    fn passed(&mut self, request: usize, answer: usize, unused: Harm) {
        if unused != Harm::Nothing {
            self.left += 1;
            return;
        }
        if request > self.request {
            (self.request, self.answer) = (request, answer);
        }
    }

    fn done(&mut self, harm: Harm) {
        *self.done.entry(name(harm)).or_default() += 1;
    }
}

/// Cuts one exchange in so many, anywhere in its first bytes.
pub(crate) struct Now {
    rng: StdRng,
    one_in: u32,
    pub(crate) on: bool,
    pub(crate) done: BTreeMap<&'static str, usize>,
}

impl Now {
    pub(crate) fn and_then(rng: StdRng, one_in: u32) -> Self {
        Self { rng, one_in, on: false, done: BTreeMap::new() }
    }
}

impl Script for Now {
    fn next(&mut self) -> Harm {
        if !self.on || !self.rng.random_ratio(1, self.one_in) {
            return Harm::Nothing;
        }
        // Short answers are common: most cuts fall within the first bytes, where a commit is confirmed or not.
        let at = if self.rng.random_bool(0.7) {
            self.rng.random_range(0..40)
        } else {
            self.rng.random_range(0..600)
        };
        if self.rng.random_bool(0.5) { Harm::CutAnswer(at) } else { Harm::CutRequest(at) }
    }

    fn passed(&mut self, _request: usize, _answer: usize, _unused: Harm) {}

    fn done(&mut self, harm: Harm) {
        *self.done.entry(name(harm)).or_default() += 1;
    }
}

fn name(harm: Harm) -> &'static str {
    match harm {
        Harm::Nothing => "untouched",
        Harm::CutRequest(_) => "requests cut",
        Harm::CutAnswer(_) => "answers cut",
        Harm::BendAnswer(_) => "answers bent",
        Harm::SilentAnswer(_) => "answers that stop",
    }
}
