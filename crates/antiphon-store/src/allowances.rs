//! Limits that hold over all nodes. A node draws a little of what a limit still allows, uses it up by itself, and tells what
//! it used when it draws again: one write for many requests. Here is the arithmetic; engines keep the [`Ledger`].

use std::collections::BTreeMap;

use crate::{Millis, PortalId, StoreError, postgres};

/// A stretch of time in which a limit holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// Any second.
    Second,
    /// Any ten seconds.
    TenSeconds,
    /// The day that ends then.
    Day(Millis),
}

impl Span {
    /// Length of a slot: so closely it is noted when something was used. A span that rolls has 100.
    fn length(self) -> Millis {
        match self {
            Self::Second => 10,
            Self::TenSeconds => 100,
            Self::Day(ends) => ends,
        }
    }

    /// The slot in which a moment lies.
    pub fn slot(self, now: Millis) -> i64 {
        match self {
            Self::Second | Self::TenSeconds => now.div_euclid(self.length()),
            Self::Day(ends) => ends,
        }
    }

    /// The first slot that counts, seen from a slot. A span that rolls touches 101; one more is for clocks that differ.
    pub fn first(self, slot: i64) -> i64 {
        match self {
            Self::Second | Self::TenSeconds => slot - 101,
            Self::Day(_) => slot,
        }
    }

    /// The moment from which what was used in a slot no longer counts.
    pub fn forgets(self, slot: i64) -> Millis {
        match self {
            Self::Second | Self::TenSeconds => (slot + 102) * self.length(),
            Self::Day(_) => slot,
        }
    }

    /// The last slot in which something may be used that was drawn in a slot.
    pub fn usable(self, slot: i64) -> i64 {
        match self {
            Self::Second | Self::TenSeconds => slot + 100,
            Self::Day(_) => slot,
        }
    }

    /// The first slot from which what a node drew need not be waited for, if it never says what it used.
    fn lost(self, drawn: i64) -> i64 {
        match self {
            Self::Second | Self::TenSeconds => self.usable(drawn) + 102,
            Self::Day(_) => drawn + 1,
        }
    }

    /// How much one of several nodes draws at once. What others hold and do not use is missing to whoever could use it.
    fn portion(self, limit: i64, nodes: usize) -> i64 {
        let nodes = i64::try_from(nodes).unwrap_or(i64::MAX);
        let portion = match self {
            // Whoever is let in a hundred times a second asks ten times.
            Self::Second => limit / 10 / nodes,
            Self::TenSeconds => limit / 25 / nodes,
            Self::Day(_) => limit / 1_000,
        };
        portion.max(1)
    }
}

/// What a node asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draw {
    /// What is limited, inside the portal.
    pub key: Vec<u8>,
    pub span: Span,
    pub limit: i64,
    /// What was used since the last draw, by slot. Whatever else was drawn is given back.
    pub spent: BTreeMap<i64, i64>,
}

/// What it gets.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Drawn {
    /// How much may be used until [`Span::usable`].
    pub granted: i64,
    /// When, by the one clock that all nodes go by.
    pub at: Millis,
    /// What all nodes have said they used, by slot, as far as it counts.
    pub used: BTreeMap<i64, i64>,
    /// What other nodes hold: they may have used it.
    pub held: i64,
}

/// What is known of a limit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Ledger {
    /// What was used, by slot.
    pub used: BTreeMap<i64, i64>,
    /// What nodes hold, and in which slot they drew it.
    pub held: BTreeMap<i64, (i64, i64)>,
}

impl Ledger {
    /// Takes in what a node has used, and grants it more if there is any.
    pub(crate) fn draw(&mut self, node: i64, now: Millis, draw: &Draw) -> Drawn {
        let (span, slot) = (draw.span, draw.span.slot(now));
        let first = span.first(slot);
        for (slot, count) in &draw.spent {
            *self.used.entry(*slot).or_default() += count;
        }
        self.used.retain(|slot, _| *slot >= first);
        self.held.remove(&node);
        self.held.retain(|_, (_, drawn)| slot < span.lost(*drawn));
        let held = self.held.values().map(|(held, _)| held).sum();
        let taken = self.used.values().sum::<i64>() + held;
        let portion = span.portion(draw.limit, self.held.len() + 1);
        let granted = portion.min(draw.limit - taken).max(0);
        self.held.insert(node, (granted, slot));
        Drawn { granted, at: now, used: self.used.clone(), held }
    }
}

/// Where nodes draw what limits allow.
#[derive(Clone, Copy)]
pub struct Allowances<'a>(pub(crate) &'a postgres::Engine);

impl Allowances<'_> {
    /// Draws.
    pub async fn draw(&self, portal: PortalId, draw: &Draw) -> Result<Drawn, StoreError> {
        self.0.draw(portal, draw).await
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A node that uses what it gets at once or later, and a clock that goes on.
    #[derive(Debug, Clone, Copy)]
    struct Step {
        node: usize,
        wanted: i64,
        wait: Millis,
    }

    fn steps(nodes: usize) -> impl Strategy<Value = Vec<Step>> {
        let step = (0..nodes, 0..30_i64, 0..400_i64);
        let step = step.prop_map(|(node, wanted, wait)| Step { node, wanted, wait });
        prop::collection::vec(step, 1..400)
    }

    #[derive(Default, Clone)]
    struct Node {
        left: i64,
        usable: i64,
        spent: BTreeMap<i64, i64>,
    }

    struct World {
        ledger: Ledger,
        nodes: Vec<Node>,
        /// When something was used.
        uses: Vec<Millis>,
        /// When somebody was refused.
        refused: Vec<Millis>,
    }

    impl World {
        fn new(nodes: usize) -> Self {
            Self {
                ledger: Ledger::default(),
                nodes: vec![Node::default(); nodes],
                uses: Vec::new(),
                refused: Vec::new(),
            }
        }

        fn step(&mut self, number: usize, wanted: i64, now: Millis, span: Span, limit: i64) {
            let node = &mut self.nodes[number];
            let slot = span.slot(now);
            for _ in 0..wanted {
                if node.left == 0 || slot > node.usable {
                    let spent = std::mem::take(&mut node.spent);
                    let draw = Draw { key: Vec::new(), span, limit, spent };
                    node.left = self.ledger.draw(number as i64, now, &draw).granted;
                    node.usable = span.usable(slot);
                }
                if node.left == 0 {
                    return self.refused.push(now);
                }
                node.left -= 1;
                *node.spent.entry(slot).or_default() += 1;
                self.uses.push(now);
            }
        }

        /// The most in any stretch of time.
        fn most(&self, millis: Millis) -> usize {
            let behind = |at: Millis| self.uses.partition_point(|used| *used < at);
            self.uses.iter().map(|at| behind(at + millis) - behind(*at)).max().unwrap_or_default()
        }
    }

    proptest! {
        #[test]
        fn no_ten_seconds_see_more_than_the_limit(limit in 1..300_i64, steps in steps(5)) {
            let (mut world, mut now) = (World::new(5), 1_780_000_000_000);
            for step in steps {
                now += step.wait;
                world.step(step.node, step.wanted, now, Span::TenSeconds, limit);
            }
            prop_assert!(world.most(10_000) <= limit as usize);
        }

        #[test]
        fn no_second_sees_more_than_the_limit(limit in 1..150_i64, steps in steps(4)) {
            let (mut world, mut now) = (World::new(4), 1_780_000_000_000);
            for step in steps {
                now += step.wait / 10;
                world.step(step.node, step.wanted, now, Span::Second, limit);
            }
            prop_assert!(world.most(1_000) <= limit as usize);
            // What was used counts a fiftieth of a second longer than it has to; and another node may hold a tenth.
            for at in &world.refused {
                let behind = |at: Millis| world.uses.partition_point(|used| *used < at);
                let counted = behind(at + 1) - behind(at - 1_020);
                prop_assert!(counted as f64 >= 0.8 * limit as f64 - 3.0, "{counted} of {limit}");
            }
        }

        #[test]
        fn who_is_refused_has_met_nine_tenths_of_the_limit(limit in 1..300_i64, steps in steps(3)) {
            let (mut world, mut now) = (World::new(3), 1_780_000_000_000);
            for step in steps {
                now += step.wait;
                world.step(step.node, step.wanted, now, Span::TenSeconds, limit);
            }
            // What was used counts a fifth of a second longer than it has to.
            for at in &world.refused {
                let behind = |at: Millis| world.uses.partition_point(|used| *used < at);
                let counted = behind(at + 1) - behind(at - 10_200);
                prop_assert!(counted as f64 >= 0.9 * limit as f64, "{counted} of {limit}");
            }
        }

        #[test]
        fn days_hold_for_all_nodes_and_for_those_that_come_back(
            limit in 1..5_000_i64,
            steps in steps(4),
            restarts in prop::collection::vec(0..400_usize, 0..5),
        ) {
            let (mut world, span) = (World::new(4), Span::Day(1_780_000_000_000));
            for (place, step) in steps.iter().enumerate() {
                if restarts.contains(&place) {
                    world.nodes[step.node] = Node::default();
                }
                world.step(step.node, step.wanted * 4, 0, span, limit);
            }
            let used = world.uses.len() as i64;
            // A node that comes back under its old name forgets what it did not tell of: a portion at most.
            let portion = span.portion(limit, 1);
            prop_assert!(used <= limit + portion * restarts.len() as i64);
            prop_assert!(world.refused.is_empty() || used as f64 >= 0.9 * limit as f64 - 4.0);
        }
    }

    #[test]
    fn one_node_alone_may_use_everything() {
        let mut world = World::new(1);
        world.step(0, 200, 1_780_000_000_000, Span::TenSeconds, 190);
        assert_eq!(world.uses.len(), 190);
        world.step(0, 1, 1_780_000_010_050, Span::TenSeconds, 190);
        assert_eq!(world.uses.len(), 190);
        world.step(0, 200, 1_780_000_010_200, Span::TenSeconds, 190);
        assert_eq!(world.uses.len(), 380);
    }

    #[test]
    fn a_new_day_begins_with_nothing() {
        let mut world = World::new(2);
        for day in [1, 2] {
            world.step(0, 70, 0, Span::Day(day), 100);
            world.step(1, 70, 0, Span::Day(day), 100);
        }
        assert_eq!(world.uses.len(), 200);
    }

    #[test]
    fn what_a_dead_node_holds_is_waited_for_no_longer_than_it_could_be_used() {
        let (mut world, now) = (World::new(2), 1_780_000_000_000);
        world.step(0, 1, now, Span::TenSeconds, 100);
        world.step(1, 200, now, Span::TenSeconds, 100);
        assert_eq!(world.uses.len(), 97, "the other holds four, and used one of them");
        world.step(1, 200, now + 10_200, Span::TenSeconds, 100);
        assert_eq!(world.uses.len(), 97 + 96);
        world.step(1, 200, now + 20_400, Span::TenSeconds, 100);
        assert_eq!(world.uses.len(), 97 + 96 + 100);
    }
}
