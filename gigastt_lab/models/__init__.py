"""Models: which are known, what files they have, where these are, how they are downloaded.

Lives here: the registry, files of a model directory, locks and checksums, the Hugging Face Hub's client.
May import: `types`, `errors`.
Public: `registry.KNOWN_MODELS`, `registry.model_directory`, `files.ModelFiles`, `download.download`.
"""

from typing import TYPE_CHECKING

from gigastt_lab.lazy import lazy

if TYPE_CHECKING:
    from gigastt_lab.models.files import ModelFiles as ModelFiles
    from gigastt_lab.models.registry import DEFAULT_MODEL as DEFAULT_MODEL
    from gigastt_lab.models.registry import DEMO_CLIPS_DIRECTORY as DEMO_CLIPS_DIRECTORY
    from gigastt_lab.models.registry import DEMO_DIRECTORY as DEMO_DIRECTORY
    from gigastt_lab.models.registry import KNOWN_MODELS as KNOWN_MODELS
    from gigastt_lab.models.registry import KnownModel as KnownModel
    from gigastt_lab.models.registry import ModelFile as ModelFile
    from gigastt_lab.models.registry import canonical_name as canonical_name
    from gigastt_lab.models.registry import model_directory as model_directory

__all__, __getattr__, __dir__ = lazy(
    __name__,
    {
        "DEFAULT_MODEL": "registry:DEFAULT_MODEL",
        "DEMO_CLIPS_DIRECTORY": "registry:DEMO_CLIPS_DIRECTORY",
        "DEMO_DIRECTORY": "registry:DEMO_DIRECTORY",
        "KNOWN_MODELS": "registry:KNOWN_MODELS",
        "KnownModel": "registry:KnownModel",
        "ModelFile": "registry:ModelFile",
        "ModelFiles": "files:ModelFiles",
        "canonical_name": "registry:canonical_name",
        "model_directory": "registry:model_directory",
    },
    was="registry",
)
