/** Asks until the answer is neither undefined, null nor false, and gives up with a sentence at the deadline. */
export async function until(what, patience_ms, probe) {
  const deadline = Date.now() + patience_ms;
  for (;;) {
    const answer = await probe();
    if (answer !== undefined && answer !== null && answer !== false) return answer;
    if (Date.now() > deadline) throw new Error(`waited ${patience_ms} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
