"""Recognition, the embedded responder and a prompt of your own in a LangChain chain.

Needs the extra "langchain".
"""

from langchain_core.prompts import ChatPromptTemplate

from empathic_sdk.integrations.langchain import EmpathicChatModel, emotion_runnable


def main() -> None:
    read = emotion_runnable() | (lambda state: f"{state.label} {state.trend}")
    print(read.invoke("I finally got the job!"))

    prompt = ChatPromptTemplate.from_messages([("placeholder", "{talk}"), ("human", "{text}")])
    chain = prompt | EmpathicChatModel(max_sentences=2)
    talk = [("human", "I failed the exam again."), ("ai", "What happened?")]
    for chunk in chain.stream({"talk": talk, "text": "I studied for weeks, I am so sad."}):
        print(chunk.text, end="", flush=True)
    print()


if __name__ == "__main__":
    main()
