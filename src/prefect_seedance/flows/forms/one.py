"""The form for one video."""

# Annotations are no strings here: Prefect reads them to make the form.

import functools
from typing import Annotated, Any

from pydantic import Field

from prefect_seedance.blocks import RouteDefaults
from prefect_seedance.blocks.references import referenced
from prefect_seedance.errors import SeedanceError
from prefect_seedance.flows.forms.chosen import chosen_routes
from prefect_seedance.flows.forms.fields import AS_ROUTE, LONGEST, AgainState, Model, Ratio, Resolution, Sound, titled
from prefect_seedance.flows.forms.generate import run_of_form
from prefect_seedance.flows.forms.making import make_one
from prefect_seedance.flows.outcomes import failed
from prefect_seedance.flows.run_batch_name import run_name
from prefect_seedance.flows.table_flow import table_flow
from prefect_seedance.flows.twins import of_form

__all__ = ["one_video"]


@table_flow(name="One video", flow_run_name=run_name)
@of_form
async def one_video(
    prompt: str = titled("Prompt", minLength=1),
    route: RouteDefaults = titled("Route"),
    model: Model = titled("Model", "as the route says"),
    resolution: Resolution = titled("Resolution", "as the route says"),
    ratio: Ratio = titled("Format", "as the route says"),
    duration: Annotated[int, Field(ge=0, le=LONGEST)] = titled("Seconds", 0),
    sound: Sound = titled("Sound", "as the route says"),
    images: list[str] = titled("Reference images", []),
    first_image: str = titled("First image", ""),
    last_image: str = titled("Last image", ""),
    batch: str = titled("Batch name", "one-by-one", minLength=1, maxLength=100),
    retry: list[AgainState] = titled("Make again, and pay again", []),
    take: str = titled("Take", "1"),
    approve_above: str = titled("Ask me if it may cost more than", ""),
    output: str = titled("Folder for the videos", "videos"),
    patience: Annotated[int, Field(ge=0)] = titled("Minutes to wait for the video", 60),
) -> Any:
    """Make one video. The same request in the same batch is found again, and not paid again.

    Args:
        prompt: What the video shows.
        route: Who pays, which model, and your prices: a saved block of the type "Seedance Route Defaults".
        model: It must be one that the route's account can buy.
        resolution: Not every model makes every resolution; a wrong one is refused before anything is spent.
        ratio: Width to height.
        duration: Seconds of the video, from 4 to 15 on most models. 0: as the route says.
        sound: On models that can choose.
        images: Links of pictures that the video should use. Paths of files too, if the worker's administrator has
            allowed their folder (PREFECT_SEEDANCE_MEDIA_ROOT). A signed link: save it as a Secret block, and write
            secret:NAME here.
        first_image: The picture with which the video starts: a link or a path, as above.
        last_image: The picture with which it ends.
        batch: The name under which the video is kept.
        retry: A video in one of these states is made again, which is a new, paid attempt.
        take: 1 is the first. Any other value makes the same video again, on purpose, and pays again.
        approve_above: Such as 5 CNY. The run shows the quote and waits for your approval. Empty: it does not ask.
        output: A folder on the worker's machine, or a URL such as s3://bucket/videos. Each batch has a folder in it.
        patience: A video that takes longer is kept for the next run of the batch, and not paid again.

    Returns:
        The result of the video.
    """
    try:
        links = [await referenced(image.strip()) for image in images if image.strip()]
        first, last = await referenced(first_image.strip()), await referenced(last_image.strip())
    except SeedanceError as error:
        return failed(error)
    fields = {
        "prompt": prompt,
        "resolution": "" if resolution == AS_ROUTE else resolution,
        "ratio": "" if ratio == AS_ROUTE else ratio,
        "duration": duration or None,
        "generate_audio": {"with sound": True, "without sound": False}.get(sound),
        "images": links,
        "first_image": first,
        "last_image": last,
    }
    row = {name: value for name, value in fields.items() if value not in (None, "", [])}
    try:
        run = run_of_form(retry=retry, take=take, approve_above=approve_above, output=output, patience=patience)
        routes = await chosen_routes(route, model=model)
    except SeedanceError as error:
        return failed(error)
    return await make_one(functools.partial(run, route=routes), [row], batch)
