"""A LangChain agent with a tool, and the emotion middleware.

Needs the extra "langchain". The model is scripted, so that this runs offline: put a real one, such
as "openai:gpt-4o-mini", in its place.
"""

from collections.abc import Sequence
from typing import Any

from langchain.agents import create_agent
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver

from empathic_sdk.integrations.langchain import EmotionMiddleware


@tool
def office_hours(teacher: str) -> str:
    """Look up when a teacher can be seen."""
    return f"{teacher}: Tuesdays at three."


class Scripted(GenericFakeChatModel):
    """Answers from a script."""

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Any:
        """Take any tools: the script decides which are called."""
        return self


def main() -> None:
    look_up = {"name": "office_hours", "args": {"teacher": "Ms Bell"}, "id": "1"}
    script = [
        AIMessage("", tool_calls=[look_up]),
        "That sounds frustrating. I feel so sad for you. Ms Bell can be seen on Tuesdays at three.",
    ]
    agent = create_agent(
        Scripted(messages=iter(script)),
        tools=[office_hours],
        system_prompt="You help students plan their week.",
        middleware=[EmotionMiddleware()],
        checkpointer=InMemorySaver(),
    )
    thread: Any = {"configurable": {"thread_id": "ada"}}
    for text in ("I failed Ms Bell's exam again, I am so sad.", "I don't want to live any more."):
        out = agent.invoke({"messages": [{"role": "user", "content": text}]}, thread)
        read = out["empathy"]
        print(f"[{read['emotion']['label']}, safety {read['safety']['level']}]")
        if marks := read.get("marks"):  # passed, since it harms nobody; guard="all" holds it back
            print(f"[marked: {', '.join(marks)}]")
        print(out["messages"][-1].text)


if __name__ == "__main__":
    main()
