/** How long a script beside a request may wait for its turn: nobody's script fails because those of others last. */
export const patienceSeconds = 3_600
