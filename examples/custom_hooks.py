"""Your own tone and pacing: a hook is a function of the person's state."""

from empathic_sdk import EmotionAwareAgent, HookContext, Pacing, Tone
from empathic_sdk.style import default_pacing, default_tone


def tone(context: HookContext) -> Tone:
    """Speak bluntly with people who asked for it, and as usual with everybody else."""
    if context.user.preferences.get("style") == "blunt":
        return Tone(
            name="blunt", warmth=0.3, energy=0.5, formality=0.2, instructions="Short and plain."
        )
    return default_tone(context)


async def pacing(context: HookContext) -> Pacing:
    """Slow down when somebody is agitated; hooks may be coroutines."""
    usual = default_pacing(context)
    if context.state.arousal > 0.3:
        return usual.model_copy(update={"words_per_minute": usual.words_per_minute * 0.7})
    return usual


def main() -> None:
    with EmotionAwareAgent(tone=tone, pacing=pacing) as agent:
        agent.profiles.prefer("bob", style="blunt")
        for user in ("ada", "bob"):
            turn = agent.respond("I am furious, they cancelled my shift again!", user=user)
            print(user, turn.style.tone.name, round(turn.style.pacing.words_per_minute), turn.reply)


if __name__ == "__main__":
    main()
