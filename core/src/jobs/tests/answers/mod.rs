//! The jobs against the simulator and real databases, with the clock in the test's hand. Every person is invented.

mod bench;
mod corrections;
mod delivery;
mod doubt;
mod evidence;
mod personal_data;
mod traces;
mod watching;
