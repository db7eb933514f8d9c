from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("docs_app", "0003_server_process")]
    operations = [
        migrations.AddField(
            model_name="documentsnapshot",
            name="facts",
            field=models.JSONField(
                editable=False,
                help_text="What reading the state's bytes said: spans of clocks, second halves of surrogate pairs, "
                "how many structs.",
                null=True,
            ),
        ),
    ]
