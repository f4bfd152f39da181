//! What agents do at the screen: reading, answering, drafts, ready-made words.

use crate::id::LenientId;
use crate::lenient::lenient;

lenient! {
    /// How far somebody has read a thread.
    pub struct ReadUpTo {
        /// The last entry that was read.
        pub message_id: Option<String> = "messageId",
        /// Actor id of the agent who read it. Whoever is signed in is that agent; programs have to say.
        pub sender_actor_id: Option<LenientId> = "senderActorId",
    }
}
