"""Old module names of the first release: they work for one more release, with a warning."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

ROOT = "empathic_sdk"

MOVED = {
    "alerts": "monitoring.alerts",
    "alignment": "encoders.alignment",
    "alignment.cleaning": "encoders.alignment.cleaning",
    "alignment.clock": "encoders.alignment.clock",
    "alignment.prepare": "encoders.alignment.prepare",
    "alignment.rows": "encoders.alignment.rows",
    "alignment.running": "encoders.alignment.running",
    "alignment.samples": "encoders.alignment.samples",
    "alignment.windows": "encoders.alignment.windows",
    "checkpoints": "runtime.checkpoints",
    "conversations": "turn.conversations",
    "encoders.batching": "runtime.batching",
    "encoders.detect": "encoders.face_detection",
    "encoders.drafts": "safety.draft_model",
    "encoders.listening": "encoders.speech_features",
    "encoders.minilm": "models.minilm",
    "encoders.risk": "safety.risk_model",
    "encoders.transcribe": "encoders.transcription",
    "encoders.voice": "encoders.voice_activity",
    "evaluation": "lab.evaluation",
    "evaluation.adaptation": "lab.evaluation.adaptation",
    "evaluation.audit": "lab.evaluation.audit",
    "evaluation.behaviour_runs": "lab.recipes.behaviour",
    "evaluation.behaviour_timing": "lab.evaluation.behaviour_timing",
    "evaluation.bench": "lab.benchmarks.turns",
    "evaluation.bench_dialogue": "lab.benchmarks.dialogue",
    "evaluation.bench_media": "lab.benchmarks.media",
    "evaluation.bench_speech": "lab.benchmarks.speech",
    "evaluation.bench_store": "lab.benchmarks.store",
    "evaluation.calibrate": "lab.evaluation.calibrate",
    "evaluation.courses": "lab.simulation.trajectories",
    "evaluation.dialogue_runs": "lab.recipes.dialogue",
    "evaluation.dialogues": "lab.evaluation.dialogue_metrics",
    "evaluation.drawing": "lab.reports.inline_svg",
    "evaluation.empathy": "lab.evaluation.empathy",
    "evaluation.evaluate_dialogue": "lab.evaluation.dialogue_models",
    "evaluation.evaluate_fusion": "lab.evaluation.fusion",
    "evaluation.evaluate_speech": "lab.evaluation.speech",
    "evaluation.experiment": "lab.recipes.text",
    "evaluation.face_runs": "lab.recipes.face",
    "evaluation.fusion_runs": "lab.recipes.fusion",
    "evaluation.groups": "lab.evaluation.group_gaps",
    "evaluation.guard": "lab.evaluation.guard",
    "evaluation.joint_runs": "lab.recipes.joint",
    "evaluation.judge": "lab.evaluation.judge",
    "evaluation.markup": "lab.reports.page",
    "evaluation.metrics": "lab.evaluation.metrics",
    "evaluation.monitor": "lab.evaluation.monitor",
    "evaluation.nuisance": "lab.evaluation.nuisance",
    "evaluation.personal_runs": "lab.recipes.personal",
    "evaluation.personalisation": "lab.evaluation.personalisation",
    "evaluation.published": "lab.evaluation.published",
    "evaluation.queue": "lab.runs.grid",
    "evaluation.replies": "lab.evaluation.replies",
    "evaluation.reply_figures": "lab.evaluation.reply_figures",
    "evaluation.report": "lab.reports.page",
    "evaluation.report_depth": "lab.reports.charts",
    "evaluation.report_dialogue": "lab.reports.one_dialogue",
    "evaluation.report_figures": "lab.reports.charts",
    "evaluation.report_tables": "lab.reports.sections",
    "evaluation.report_words": "lab.reports.subject",
    "evaluation.safety": "lab.evaluation.safety",
    "evaluation.simulated_users": "lab.simulation.users",
    "evaluation.speech_fusion": "lab.evaluation.speech_fusion",
    "evaluation.speech_runs": "lab.recipes.speech",
    "evaluation.strategy": "lab.evaluation.strategy",
    "evaluation.tables": "lab.evaluation.configurations",
    "evaluation.text": "lab.evaluation.text",
    "evaluation.users": "lab.evaluation.personal",
    "evaluation.wording": "lab.evaluation.wording",
    "hooks": "style",
    "hooks.calls": "style.calls",
    "hooks.decide": "style.decide",
    "hooks.pacing": "style.pacing",
    "hooks.steady": "style.hysteresis",
    "hooks.themes": "style.themes",
    "hooks.tones": "style.tones",
    "integrations.chat_model": "integrations.langchain.chat_model",
    "integrations.huggingface": "llm.huggingface",
    "integrations.media": "llm.messages",
    "integrations.middleware": "integrations.langchain.middleware",
    "integrations.models": "llm.adapters",
    "integrations.runnables": "llm.runnables",
    "listening": "turn.stateless",
    "memory": "recognition.dialogue_state",
    "models.baselines": "lab.baselines.recurrent",
    "models.cfn_esa": "lab.baselines.cfn_esa",
    "models.dialogue_rnn": "lab.baselines.dialogue_rnn",
    "pipeline": "turn.engine",
    "proposals": "turn.proposals",
    "recognizer": "recognition.recognizer",
    "resources": "runtime.resources",
    "response.acts": "language.dialogue_acts",
    "response.context": "types.reply",
    "response.crisis": "safety.protocol",
    "response.cues": "safety.cues",
    "response.dangers": "safety.pattern_files",
    "response.drafts": "safety.draft_rules",
    "response.embedded": "responders.embedded",
    "response.guard": "safety.output_guard",
    "response.hardship": "language.hardship",
    "response.live": "responders.cancellable",
    "response.llm": "responders.llm",
    "response.normal": "language.normalization",
    "response.planner": "dialogue.planner",
    "response.prompting": "responders.prompting",
    "response.reflect": "language.reflection",
    "response.requests": "language.requests",
    "response.risk": "safety.decision",
    "response.safety": "safety.detector",
    "response.sentences": "language.sentences",
    "response.signs": "safety.kinds",
    "response.strategy": "dialogue.strategy",
    "response.templates": "language.templates",
    "response.tutoring": "tutoring",
    "response.tutoring.checking": "tutoring.checking",
    "response.tutoring.derivatives": "tutoring.derivatives",
    "response.tutoring.equations": "tutoring.equations",
    "response.tutoring.feelings": "tutoring.feelings",
    "response.tutoring.forms": "tutoring.forms",
    "response.tutoring.fractions": "tutoring.fractions",
    "response.tutoring.lesson": "tutoring.lesson",
    "response.tutoring.mastery": "tutoring.mastery",
    "response.tutoring.moves": "tutoring.intents",
    "response.tutoring.percentages": "tutoring.percentages",
    "response.tutoring.phrases": "tutoring.phrases",
    "response.tutoring.policy": "tutoring.policy",
    "response.tutoring.problems": "tutoring.problems",
    "response.tutoring.reading": "tutoring.reading",
    "response.tutoring.speech": "tutoring.drafting",
    "response.tutoring.state": "types.tutoring",
    "response.voice": "language.realization",
    "response.wordings": "safety.pattern_files",
    "senses": "recognition.modalities",
    "session": "recognition.session",
    "state.calibration": "recognition.calibration",
    "state.contributions": "recognition.contributions",
    "state.monitor": "monitoring.days",
    "state.tracker": "recognition.tracker",
    "streaming": "turn.pacing",
    "training": "lab.training",
    "training.behaviour": "lab.recipes.behaviour",
    "training.behaviour_simulator": "lab.simulation.behaviour",
    "training.clips": "lab.corpora.clips",
    "training.contexts": "lab.corpora.reply_moments",
    "training.corpora": "lab.corpora.text",
    "training.dialogue": "lab.recipes.dialogue",
    "training.dialogue_loop": "lab.training.dialogue_fit",
    "training.dialogues": "lab.corpora.dialogues",
    "training.esconv": "lab.corpora.esconv",
    "training.face": "lab.recipes.face",
    "training.face_loop": "lab.training.face_fit",
    "training.face_pool": "lab.training.frame_pool",
    "training.faces": "lab.corpora.faces",
    "training.groups": "lab.corpora.speaker_groups",
    "training.guard": "lab.recipes.guard",
    "training.heads": "lab.training.heads",
    "training.joint": "lab.recipes.joint",
    "training.loop": "lab.training.text_fit",
    "training.media": "lab.corpora.encoded_media",
    "training.pairing": "lab.corpora.pairing",
    "training.personal": "lab.recipes.personal",
    "training.safety": "lab.recipes.risk",
    "training.safety_data": "lab.corpora.risk_lines",
    "training.sound_augment": "lab.training.sound_augmentation",
    "training.speech": "lab.recipes.speech",
    "training.speech_statistics": "lab.training.speech_statistics",
    "training.strategy": "lab.recipes.strategy",
    "training.text": "lab.recipes.text",
    "training.timing": "lab.corpora.timing",
    "training.transfer_loss": "lab.training.transfer_loss",
    "watching": "monitoring.longitudinal",
}
"""Old module to new module, below the package."""

SCATTERED = {
    "response": {
        "EmbeddedResponder": "responders.embedded",
        "LLMResponder": "responders.llm",
        "Live": "responders.cancellable",
        "Planner": "dialogue.planner",
        "Reply": "types.reply",
        "ReplyContext": "types.reply",
        "ResponderMemory": "types.reply",
        "RiskContext": "safety.decision",
        "Signs": "safety",
        "TutorState": "tutoring",
        "Verdict": "safety.output_guard",
        "assess": "safety.detector",
        "check_sentence": "safety.output_guard",
        "check_text": "safety.output_guard",
        "gives_up": "tutoring",
        "help_lines": "language.templates",
        "judge": "safety.decision",
        "load_bank": "language.templates",
        "notice": "language.templates",
        "permitted": "dialogue.strategy",
        "plan": "dialogue.strategy",
        "reflection": "language.reflection",
        "requests": "language",
        "require_sympy": "tutoring",
        "sentences_of": "language.sentences",
        "shipped_planner": "dialogue.planner",
        "system_prompt": "responders.prompting",
        "template_files": "language.templates",
        "watch_message": "language.templates",
    },
    "state": {
        "Calibration": "recognition.calibration",
        "StateTracker": "recognition.tracker",
        "digest": "recognition.tracker",
        "personal": "recognition.calibration",
        "probabilities": "recognition.calibration",
        "trend": "recognition.tracker",
    },
}
"""Packages that were divided: the module that has each of their public names now."""


RENAMED = {
    ("conversations", "Talk"): ("turn.conversation", "Conversation"),
    ("conversations", "Talks"): ("turn.conversations", "Conversations"),
    ("memory", "Heard"): ("recognition.dialogue_model", "DialogueReading"),
    ("pipeline", "Outcome"): ("turn.stateful", "FinishedTurn"),
    ("pipeline", "Pipeline"): ("turn.stateful", "StatefulTurns"),
    ("pipeline", "planner_for"): ("turn.parts", "planner_for"),
    ("recognizer", "Reading"): ("recognition.recognizer", "TextReading"),
    ("response.strategy", "heard"): ("dialogue.strategy", "act_in_context"),
    ("senses", "Senses"): ("recognition.modalities", "ModalityEncoders"),
}
"""Names of moved modules that were renamed, or moved to another module."""


class MovedModules:
    """Finds modules by their old names; comes last, so it costs nothing where a name exists."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Return a spec for an old name, ``None`` for any other."""
        old = fullname.removeprefix(f"{ROOT}.")
        if old == fullname or (old not in MOVED and old not in SCATTERED):
            return None
        # A finder and loader by its methods: the base classes cost a third of the whole import.
        loader: Any = self
        return ModuleSpec(fullname, loader, is_package=True)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Return an empty module that looks its names up when they are asked for."""
        return _Old(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Warn where the module is now."""
        module.__path__ = []
        old = module.__name__.removeprefix(f"{ROOT}.")
        where = f"{ROOT}.{MOVED[old]}" if old in MOVED else f"packages such as {ROOT}.responders"
        warnings.warn(
            f"{module.__name__} has moved to {where}; the old name goes with the next release",
            DeprecationWarning,
            stacklevel=2,
        )


class _Old(ModuleType):
    """A module of the first release; looks its names up in the module that has them now."""

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        old = self.__name__.removeprefix(f"{ROOT}.")
        if (old, name) in RENAMED:
            place, new = RENAMED[old, name]
            return getattr(import_module(f"{ROOT}.{place}"), new)
        home = MOVED.get(old) or SCATTERED[old].get(name)
        if home is None:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        module = import_module(f"{ROOT}.{home}")
        if hasattr(module, name):
            return getattr(module, name)
        # A name that was renamed, or went to another file of the same package.
        return getattr(import_module(f"{ROOT}.{home.partition('.')[0]}"), name)


def install() -> None:
    """Make old names importable; a second call does nothing."""
    if not any(isinstance(finder, MovedModules) for finder in sys.meta_path):
        sys.meta_path.append(MovedModules())
