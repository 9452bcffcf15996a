"""The agent as a step of a LangChain chain (needs the extra "langchain")."""

from empathic_sdk import EmotionAwareAgent


def main() -> None:
    with EmotionAwareAgent() as agent:
        chain = agent.as_runnable() | (lambda turn: f"({turn.emotion.label}) {turn.reply}")
        print(chain.invoke({"input": "I finally got the job!", "user": "ada"}))


if __name__ == "__main__":
    main()
