"""The profile: name, colour and picture, as others see them."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods, require_safe

from docs_app.accounts import avatars
from docs_app.accounts.avatars import NotAPictureError
from docs_app.accounts.colours import is_colour, is_readable
from docs_app.accounts.models import PALETTE, User

_NAMES = (
    "Red", "Orange", "Ochre", "Olive", "Green", "Teal",
    "Blue", "Indigo", "Violet", "Purple", "Pink", "Brown",
)  # fmt: skip
COLOURS = [*zip(PALETTE, _NAMES, strict=True)]


class ProfileForm(forms.ModelForm[User]):
    colour = forms.ChoiceField(
        label="Colour", choices=[*COLOURS, ("", "Another")], required=False, widget=forms.RadioSelect
    )
    other_colour = forms.CharField(
        label="Another colour",
        required=False,
        max_length=7,
        help_text="Like #1b6e3a. Your name must be readable in white on it.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    picture = forms.FileField(
        label="Picture",
        required=False,
        help_text="PNG, JPEG, WebP or GIF, at most 10 MB. Its middle is shown.",
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg,image/webp,image/gif"}),
    )
    no_picture = forms.BooleanField(label="Remove the picture", required=False)

    class Meta:
        model = User
        fields = ("name",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        colour = self.instance.colour
        self.initial["colour"] = colour if colour in PALETTE else ""
        self.initial["other_colour"] = "" if colour in PALETTE else colour
        self.fields["name"].label = "Name"
        self.fields["name"].widget.attrs["autocomplete"] = "name"

    def clean_other_colour(self) -> str:
        colour = str(self.cleaned_data["other_colour"]).strip().lower()
        if self.cleaned_data.get("colour"):
            return ""
        if not is_colour(colour):
            raise ValidationError("A colour looks like #1b6e3a.")
        if not is_readable(colour):
            raise ValidationError(
                "Names in white can't be read on it, or its line not be seen. Choose another one."
            )
        return colour

    def clean_picture(self) -> Any:
        picture = self.cleaned_data["picture"]
        if picture and picture.size > avatars.MAX_BYTES:
            raise ValidationError("That file is larger than 10 MB.")
        return picture


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    # Of its own: what a refused form holds must not stand in the page's header.
    assert isinstance(request.user, User)
    person = User.objects.get(pk=request.user.pk)
    if request.method != "POST":
        return render(request, "accounts/profile.html", {"form": ProfileForm(instance=person)})
    form = ProfileForm(request.POST, request.FILES, instance=person)
    if form.is_valid() and _save(form):
        messages.success(request, "Your profile is saved.")
        return redirect("profile")
    return render(request, "accounts/profile.html", {"form": form}, status=400)


def _save(form: ProfileForm) -> bool:
    """False, and nothing is saved, if the picture is none; the form then says so."""
    person, data = form.instance, form.cleaned_data
    try:
        if data["picture"]:
            avatars.put(person=User.objects.get(pk=person.pk), file=data["picture"])
        elif data["no_picture"]:
            avatars.remove(person=User.objects.get(pk=person.pk))
    except NotAPictureError:
        form.add_error("picture", "That is no picture that can be shown. Try a PNG or JPEG.")
        return False
    person.colour = data["colour"] or data["other_colour"]
    person.save(update_fields=["name", "colour"])
    return True


@require_safe
@login_required
@cache_control(private=True, max_age=365 * 24 * 3600, immutable=True)
def avatar(request: HttpRequest, user_id: int, digest: str) -> HttpResponse:
    """The picture with this content, as long as it is the person's."""
    if not User.objects.filter(pk=user_id, avatar=digest).exclude(avatar="").exists():
        raise Http404
    try:
        content = avatars.path_of(user_id, digest).read_bytes()
    except FileNotFoundError as error:
        raise Http404 from error
    return HttpResponse(content, content_type="image/webp")
