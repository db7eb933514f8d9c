"""What people may type about a document."""

from typing import Any

from django import forms
from django.db.models import QuerySet

from docs_app.documents.models import TITLE_LENGTH
from docs_app.documents.verbs import UNTITLED
from docs_app.workspaces.models import Workspace


class TitleField(forms.CharField):
    """A title on one line: line breaks and runs of spaces become a single space."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            max_length=TITLE_LENGTH,
            error_messages={
                "required": "A document needs a title.",
                "max_length": f"A title has at most {TITLE_LENGTH} characters.",
            },
            **kwargs,
        )

    def to_python(self, value: Any) -> str:
        return " ".join(str(super().to_python(value) or "").split())


class TitleForm(forms.Form):
    title = TitleField(label="Title")


class NewDocumentForm(forms.Form):
    """Where the new document goes, one of the workspaces given; no title makes it "Untitled"."""

    title = TitleField(label="Title", required=False)
    workspace = forms.ModelChoiceField(queryset=Workspace.objects.none(), empty_label=None)

    def __init__(self, *args: Any, workspaces: QuerySet[Workspace], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["workspace"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = workspaces

    def clean_title(self) -> str:
        return self.cleaned_data["title"] or UNTITLED
